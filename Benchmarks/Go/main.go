// Measures Go's net/http, and prints one line of JSON.
package main

import (
	"crypto/tls"
	"crypto/x509"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"sort"
	"strings"
	"sync"
	"syscall"
	"time"
)

type report struct {
	Client   string  `json:"client"`
	Requests int     `json:"requests"`
	Seconds  float64 `json:"seconds"`
	CPU      float64 `json:"cpu_us_per_request"`
	P50      float64 `json:"p50_us"`
	P99      float64 `json:"p99_us"`
	PeakRSS  int     `json:"peak_rss_kib"`
	Errors   int     `json:"errors"`
}

func main() {
	log.SetFlags(0)
	url := flag.String("url", "", "what to GET")
	concurrency := flag.Int("concurrency", 0, "requests in flight at once")
	requests := flag.Int("requests", 0, "requests that are measured")
	warmup := flag.Int("warmup", 0, "requests before them that are not")
	bytes := flag.Int("bytes", -1, "bytes that every body must have")
	ca := flag.String("ca", "", "a PEM file with the certificate authority to trust")
	flag.Parse()
	if *url == "" || *concurrency < 1 || *requests < *concurrency || *bytes < 0 {
		flag.Usage()
		os.Exit(2)
	}

	client := &http.Client{Transport: transport(*concurrency, *ca)}
	send(client, *url, *concurrency, *warmup, *bytes)
	cpu, begin := cpuMicroseconds(), time.Now()
	latencies := send(client, *url, *concurrency, *requests, *bytes)
	elapsed := time.Since(begin)
	cpu = cpuMicroseconds() - cpu
	peak := peakRSS()
	sort.Slice(latencies, func(a, b int) bool { return latencies[a] < latencies[b] })
	line, err := json.Marshal(report{
		"go-net-http", *requests, elapsed.Seconds(), cpu / float64(*requests),
		percentile(latencies, 50), percentile(latencies, 99), peak, 0,
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(line))
}

func transport(connections int, ca string) *http.Transport {
	transport := &http.Transport{
		MaxIdleConns:        connections,
		MaxIdleConnsPerHost: connections,
		MaxConnsPerHost:     connections,
		DisableCompression:  true,
	}
	if ca != "" {
		pem, err := os.ReadFile(ca)
		if err != nil {
			log.Fatal(err)
		}
		pool := x509.NewCertPool()
		if !pool.AppendCertsFromPEM(pem) {
			log.Fatal("the file holds no certificate")
		}
		transport.TLSClientConfig = &tls.Config{RootCAs: pool}
	}
	return transport
}

// One goroutine for each request in flight; each sends its share one after the other.
func send(client *http.Client, url string, concurrency, requests, bytes int) []time.Duration {
	latencies := make([]time.Duration, requests)
	var group sync.WaitGroup
	first := 0
	for i := 0; i < concurrency; i++ {
		share := requests / concurrency
		if i < requests%concurrency {
			share++
		}
		group.Add(1)
		go func(mine []time.Duration) {
			defer group.Done()
			for j := range mine {
				begin := time.Now()
				get(client, url, bytes)
				mine[j] = time.Since(begin)
			}
		}(latencies[first : first+share])
		first += share
	}
	group.Wait()
	return latencies
}

func get(client *http.Client, url string, bytes int) {
	response, err := client.Get(url)
	if err != nil {
		log.Fatal(err)
	}
	body, err := io.ReadAll(response.Body)
	if err != nil {
		log.Fatal(err)
	}
	response.Body.Close()
	if response.StatusCode != http.StatusOK || len(body) != bytes {
		log.Fatalf("wrong answer: status %d, %d bytes", response.StatusCode, len(body))
	}
}

func cpuMicroseconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e3
}

// Not from getrusage: its figure includes what the process had before it became this program.
func peakRSS() int {
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		log.Fatal(err)
	}
	for _, line := range strings.Split(string(status), "\n") {
		var kib int
		if _, err := fmt.Sscanf(line, "VmHWM: %d", &kib); err == nil {
			return kib
		}
	}
	return 0
}

func percentile(sorted []time.Duration, percent int) float64 {
	index := len(sorted) * percent / 100
	if index >= len(sorted) {
		index = len(sorted) - 1
	}
	return float64(sorted[index].Nanoseconds()) / 1e3
}
