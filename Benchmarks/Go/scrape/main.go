// Measures what client_golang needs to gather and write the series of an exposition that it is given, and prints one
// line of JSON; or, with -serve, serves them with promhttp, prints the port, and ends with its standard input. Built with Debian's packages in GOPATH mode: see harness/clients.py.
package main

import (
	"bytes"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"log"
	"math"
	"net"
	"net/http"
	"os"
	"sort"
	"syscall"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
)

type cost struct {
	Microseconds float64 `json:"us"`
	CPU          float64 `json:"cpu_us"`
}

type report struct {
	Series int  `json:"series"`
	Bytes  int  `json:"bytes"`
	Pool   cost `json:"pool"`
}

func main() {
	log.SetFlags(0)
	file := flag.String("text", "", "the exposition to imitate")
	scrapes := flag.Int("scrapes", 0, "scrapes that are measured")
	serves := flag.Bool("serve", false, "serve /metrics instead")
	flag.Parse()
	text, err := os.ReadFile(*file)
	if err != nil || (*scrapes < 1) != *serves {
		flag.Usage()
		os.Exit(2)
	}
	registry := prometheus.NewRegistry()
	for _, family := range parse(text) {
		registry.MustRegister(imitate(family))
	}

	if *serves {
		serve(registry)
		return
	}
	var written bytes.Buffer
	measure(registry, &written, *scrapes/10)
	if !bytes.Equal(series(text), series(written.Bytes())) {
		log.Fatal("the series are not those of the exposition")
	}
	cpu, begin := cpuMicroseconds(), time.Now()
	measure(registry, &written, *scrapes)
	elapsed := time.Since(begin)
	cpu = cpuMicroseconds() - cpu
	each := float64(*scrapes)
	line, err := json.Marshal(report{
		bytes.Count(series(text), []byte("\n")), written.Len(), cost{float64(elapsed.Nanoseconds()) / 1e3 / each, cpu / each},
	})
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(string(line))
}

// An exporter as its users have it: net/http with the timeouts that exporter-toolkit's users set, and promhttp.
func serve(registry *prometheus.Registry) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	fmt.Println(listener.Addr().(*net.TCPAddr).Port)
	mux := http.NewServeMux()
	mux.Handle("/metrics", promhttp.HandlerFor(registry, promhttp.HandlerOpts{}))
	server := http.Server{Handler: mux, ReadHeaderTimeout: 30 * time.Second}
	go func() { log.Fatal(server.Serve(listener)) }()
	if _, err := io.Copy(io.Discard, os.Stdin); err != nil {
		log.Fatal(err)
	}
}

// What promhttp does for one scrape, without the HTTP. The buffer's memory is used again, as a connection's is.
func measure(registry *prometheus.Registry, written *bytes.Buffer, scrapes int) {
	for i := 0; i < scrapes; i++ {
		written.Reset()
		families, err := registry.Gather()
		if err != nil {
			log.Fatal(err)
		}
		encoder := expfmt.NewEncoder(written, expfmt.FmtText)
		for _, family := range families {
			if err := encoder.Encode(family); err != nil {
				log.Fatal(err)
			}
		}
	}
}

func parse(text []byte) map[string]*dto.MetricFamily {
	var parser expfmt.TextParser
	families, err := parser.TextToMetricFamilies(bytes.NewReader(text))
	if err != nil {
		log.Fatal(err)
	}
	return families
}

// A collector with the series and the values of a family.
func imitate(family *dto.MetricFamily) prometheus.Collector {
	name, help := family.GetName(), family.GetHelp()
	var labels []string
	for _, pair := range family.Metric[0].Label {
		labels = append(labels, pair.GetName())
	}
	switch family.GetType() {
	case dto.MetricType_COUNTER:
		vector := prometheus.NewCounterVec(prometheus.CounterOpts{Name: name, Help: help}, labels)
		for _, metric := range family.Metric {
			vector.With(values(metric)).Add(metric.Counter.GetValue())
		}
		return vector
	case dto.MetricType_GAUGE:
		vector := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: name, Help: help}, labels)
		for _, metric := range family.Metric {
			vector.With(values(metric)).Set(metric.Gauge.GetValue())
		}
		return vector
	case dto.MetricType_HISTOGRAM:
		vector := prometheus.NewHistogramVec(
			prometheus.HistogramOpts{Name: name, Help: help, Buckets: bounds(family.Metric[0].Histogram)}, labels)
		for _, metric := range family.Metric {
			observe(metric.Histogram, vector.With(values(metric)))
		}
		return vector
	}
	log.Fatalf("%s is of an unknown type", name)
	return nil
}

func values(metric *dto.Metric) prometheus.Labels {
	labels := prometheus.Labels{}
	for _, pair := range metric.Label {
		labels[pair.GetName()] = pair.GetValue()
	}
	return labels
}

func bounds(histogram *dto.Histogram) []float64 {
	var finite []float64
	for _, bucket := range histogram.Bucket {
		if !math.IsInf(bucket.GetUpperBound(), 1) {
			finite = append(finite, bucket.GetUpperBound())
		}
	}
	return finite
}

// Fills every bucket with as many values as it had.
func observe(histogram *dto.Histogram, observer prometheus.Observer) {
	var below uint64
	last := 0.0
	for _, bucket := range histogram.Bucket {
		value := bucket.GetUpperBound()
		if math.IsInf(value, 1) {
			value = last + 1
		}
		for ; below < bucket.GetCumulativeCount(); below++ {
			observer.Observe(value)
		}
		last = value
	}
}

// A line for each sample, sorted: its family, its labels and, but for the sums of histograms, its value.
func series(text []byte) []byte {
	var lines []string
	for name, family := range parse(text) {
		for _, metric := range family.Metric {
			labels := metric.Label
			sort.Slice(labels, func(a, b int) bool { return labels[a].GetName() < labels[b].GetName() })
			subject := fmt.Sprint(name, labels)
			if histogram := metric.Histogram; histogram != nil {
				for _, bucket := range histogram.Bucket {
					lines = append(lines, fmt.Sprint(subject, bucket.GetUpperBound(), bucket.GetCumulativeCount()))
				}
				lines = append(lines, fmt.Sprint(subject, "sum"), fmt.Sprint(subject, histogram.GetSampleCount()))
				continue
			}
			lines = append(lines, fmt.Sprint(subject, metric.Counter.GetValue()+metric.Gauge.GetValue()))
		}
	}
	sort.Strings(lines)
	var all bytes.Buffer
	for _, line := range lines {
		all.WriteString(line + "\n")
	}
	return all.Bytes()
}

func cpuMicroseconds() float64 {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		log.Fatal(err)
	}
	return float64(usage.Utime.Nano()+usage.Stime.Nano()) / 1e3
}
