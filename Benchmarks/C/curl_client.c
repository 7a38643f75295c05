/*
 * The honest least that libcurl costs: one multi on epoll, one easy for each request in flight, reused.
 * The other clients are measured against it.
 *
 * Descriptors stay registered with epoll between requests: taking them out and in again costs 15 to 25 % more CPU.
 */
#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

enum { MOST_DESCRIPTORS = 4096, MOST_EVENTS = 256 };

struct transfer {
    CURL *easy;
    char *body;
    size_t length;
    size_t capacity;
    long left;
    double started;
};

static int epoll;
/* What epoll watches each descriptor for; 0 where it does not know it. */
static unsigned watched[MOST_DESCRIPTORS];
/* When libcurl wants to be called although nothing happened, in microseconds; below 0: never. */
static double due = -1;

static void fail(const char *what) {
    fprintf(stderr, "curl_client: %s\n", what);
    exit(EXIT_FAILURE);
}

static void require(int holds, const char *what) {
    if (!holds) fail(what);
}

static double now_us(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1e6 + time.tv_nsec / 1e3;
}

static double cpu_us(void) {
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    return (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 + usage.ru_utime.tv_usec + usage.ru_stime.tv_usec;
}

/* Not from getrusage: its figure includes what the process had before it became this program. */
static long peak_rss_kib(void) {
    char line[256];
    long peak = 0;
    FILE *status = fopen("/proc/self/status", "r");
    require(status != NULL, "/proc/self/status cannot be read");
    while (fgets(line, sizeof line, status)) sscanf(line, "VmHWM: %ld", &peak);
    fclose(status);
    return peak;
}

static void watch(curl_socket_t fd, unsigned events) {
    struct epoll_event event = {.events = events, .data.fd = fd};
    if (watched[fd] == events) return;
    require(epoll_ctl(epoll, watched[fd] ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, fd, &event) == 0, "epoll_ctl failed");
    watched[fd] = events;
}

static int on_socket(CURL *easy, curl_socket_t fd, int what, void *data, void *socket_data) {
    (void)easy, (void)data, (void)socket_data;
    require(fd >= 0 && fd < MOST_DESCRIPTORS, "too many descriptors");
    if (what == CURL_POLL_REMOVE) {
        if (watched[fd]) watch(fd, EPOLLIN);
    } else {
        watch(fd, (what & CURL_POLL_IN ? EPOLLIN : 0) | (what & CURL_POLL_OUT ? EPOLLOUT : 0));
    }
    return 0;
}

static int on_close(void *data, curl_socket_t fd) {
    (void)data;
    if (fd >= 0 && fd < MOST_DESCRIPTORS) watched[fd] = 0;
    return close(fd);
}

static int on_timer(CURLM *multi, long milliseconds, void *data) {
    (void)multi, (void)data;
    due = milliseconds < 0 ? -1 : now_us() + milliseconds * 1e3;
    return 0;
}

static size_t on_body(char *bytes, size_t size, size_t count, void *data) {
    struct transfer *transfer = data;
    size_t more = size * count;
    if (transfer->length + more > transfer->capacity) {
        transfer->capacity = (transfer->length + more) * 2;
        transfer->body = realloc(transfer->body, transfer->capacity);
        require(transfer->body != NULL, "no memory");
    }
    memcpy(transfer->body + transfer->length, bytes, more);
    transfer->length += more;
    return more;
}

static void start(CURLM *multi, struct transfer *transfer) {
    transfer->left--;
    transfer->length = 0;
    transfer->started = now_us();
    require(curl_multi_add_handle(multi, transfer->easy) == CURLM_OK, "curl_multi_add_handle failed");
}

/* Notes what has ended and starts what is next. Returns how many have ended. */
static long collect(CURLM *multi, size_t bytes, double *latencies, long ended_before) {
    long ended = 0;
    int queued;
    CURLMsg *message;
    while ((message = curl_multi_info_read(multi, &queued))) {
        CURL *easy = message->easy_handle;
        struct transfer *transfer;
        long status = 0;
        if (message->data.result != CURLE_OK) fail(curl_easy_strerror(message->data.result));
        curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &transfer);
        require(status == 200, "the status is not 200");
        require(transfer->length == bytes, "the body has a wrong length");
        latencies[ended_before + ended++] = now_us() - transfer->started;
        curl_multi_remove_handle(multi, easy);
        if (transfer->left > 0) start(multi, transfer);
    }
    return ended;
}

static void send_all(CURLM *multi, struct transfer *transfers, long concurrency, long requests, size_t bytes,
                     double *latencies) {
    struct epoll_event events[MOST_EVENTS];
    long ended = 0;
    int running;
    for (long i = 0; i < concurrency; i++) {
        transfers[i].left = requests / concurrency + (i < requests % concurrency);
        if (transfers[i].left > 0) start(multi, &transfers[i]);
    }
    while (ended < requests) {
        while (due >= 0 && due <= now_us()) {
            due = -1;
            curl_multi_socket_action(multi, CURL_SOCKET_TIMEOUT, 0, &running);
            ended += collect(multi, bytes, latencies, ended);
        }
        if (ended >= requests) break;
        int timeout = due < 0 ? -1 : (int)((due - now_us()) / 1e3) + 1;
        int count = epoll_wait(epoll, events, MOST_EVENTS, timeout);
        require(count >= 0 || errno == EINTR, "epoll_wait failed");
        for (int i = 0; i < count; i++) {
            int what = (events[i].events & EPOLLIN ? CURL_CSELECT_IN : 0)
                       | (events[i].events & EPOLLOUT ? CURL_CSELECT_OUT : 0)
                       | (events[i].events & (EPOLLERR | EPOLLHUP) ? CURL_CSELECT_ERR : 0);
            curl_multi_socket_action(multi, events[i].data.fd, what, &running);
        }
        ended += collect(multi, bytes, latencies, ended);
    }
}

static int ascending(const void *a, const void *b) {
    double left = *(const double *)a, right = *(const double *)b;
    return (left > right) - (left < right);
}

static double percentile(const double *sorted, long count, long percent) {
    long index = count * percent / 100;
    return sorted[index < count ? index : count - 1];
}

int main(int count, char **arguments) {
    const char *url = NULL, *ca = NULL;
    long concurrency = 0, requests = 0, warmup = 0, bytes = -1;
    for (int i = 1; i + 1 < count; i += 2) {
        const char *name = arguments[i], *value = arguments[i + 1];
        if (!strcmp(name, "--url")) url = value;
        else if (!strcmp(name, "--ca")) ca = value;
        else if (!strcmp(name, "--concurrency")) concurrency = atol(value);
        else if (!strcmp(name, "--requests")) requests = atol(value);
        else if (!strcmp(name, "--warmup")) warmup = atol(value);
        else if (!strcmp(name, "--bytes")) bytes = atol(value);
        else fail("unknown option");
    }
    require(url && concurrency > 0 && requests >= concurrency && bytes >= 0,
            "usage: --url URL --concurrency N --requests N --bytes N [--warmup N] [--ca FILE]");

    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURLM *multi = curl_multi_init();
    epoll = epoll_create1(EPOLL_CLOEXEC);
    struct transfer *transfers = calloc(concurrency, sizeof *transfers);
    double *latencies = calloc(requests > warmup ? requests : warmup, sizeof *latencies);
    require(multi && epoll >= 0 && transfers && latencies, "no memory");
    curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket);
    curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timer);
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, concurrency);
    for (long i = 0; i < concurrency; i++) {
        CURL *easy = transfers[i].easy = curl_easy_init();
        require(easy != NULL, "no memory");
        curl_easy_setopt(easy, CURLOPT_URL, url);
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
        curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
        curl_easy_setopt(easy, CURLOPT_PRIVATE, &transfers[i]);
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, on_body);
        curl_easy_setopt(easy, CURLOPT_WRITEDATA, &transfers[i]);
        curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, on_close);
        if (ca) {
            curl_easy_setopt(easy, CURLOPT_CAINFO, ca);
            curl_easy_setopt(easy, CURLOPT_CAPATH, NULL);
        }
    }

    send_all(multi, transfers, concurrency, warmup, bytes, latencies);
    double cpu = cpu_us(), begin = now_us();
    send_all(multi, transfers, concurrency, requests, bytes, latencies);
    double seconds = (now_us() - begin) / 1e6;
    cpu = cpu_us() - cpu;
    long peak = peak_rss_kib();
    qsort(latencies, requests, sizeof *latencies, ascending);
    printf("{\"client\":\"c-libcurl\",\"requests\":%ld,\"seconds\":%f,\"cpu_us_per_request\":%f,\"p50_us\":%f,"
           "\"p99_us\":%f,\"peak_rss_kib\":%ld,\"errors\":0}\n",
           requests, seconds, cpu / requests, percentile(latencies, requests, 50), percentile(latencies, requests, 99),
           peak);

    for (long i = 0; i < concurrency; i++) {
        curl_easy_cleanup(transfers[i].easy);
        free(transfers[i].body);
    }
    curl_multi_cleanup(multi);
    curl_global_cleanup();
    free(transfers);
    free(latencies);
    close(epoll);
    return 0;
}
