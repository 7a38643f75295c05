/*
 * What libcurl itself takes for idle connections: one multi, whose cache holds them all, on requests that are over.
 * Between two looks at the memory it opens so many connections. With --keep easies their easy handles are kept, for
 * the next request on each; with --keep slots each easy handle has a share of its own as well, whose cache holds its
 * connection alone.
 */
#include <curl/curl.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

static void require(int holds, const char *what) {
    if (holds) return;
    fprintf(stderr, "idle_connections: %s\n", what);
    exit(EXIT_FAILURE);
}

struct held {
    double resident;
    double allocated;
};

/* After what is free was given back to the system. */
static struct held held_now(void) {
    long size, resident = 0;
    malloc_trim(0);
    FILE *statm = fopen("/proc/self/statm", "r");
    require(statm && fscanf(statm, "%ld %ld", &size, &resident) == 2, "/proc/self/statm cannot be read");
    fclose(statm);
    struct mallinfo2 heap = mallinfo2();
    return (struct held){(double)resident * sysconf(_SC_PAGESIZE), (double)(heap.uordblks + heap.hblkhd)};
}

static size_t ignore(char *bytes, size_t size, size_t count, void *data) {
    (void)bytes, (void)data;
    return size * count;
}

static void finish_all(CURLM *multi) {
    int running, queued;
    do {
        require(curl_multi_perform(multi, &running) == CURLM_OK, "curl_multi_perform failed");
        if (running) curl_multi_poll(multi, NULL, 0, 1000, NULL);
    } while (running);
    for (CURLMsg *message; (message = curl_multi_info_read(multi, &queued));) {
        long status = 0;
        curl_easy_getinfo(message->easy_handle, CURLINFO_RESPONSE_CODE, &status);
        require(message->data.result == CURLE_OK && status == 200, "a request failed");
    }
}

enum kept { NOTHING, EASIES, SLOTS };

static void open_connections(CURLM *multi, const char *url, long count, enum kept kept) {
    CURL **easies = calloc(count, sizeof *easies);
    require(easies != NULL, "no memory");
    for (long i = 0; i < count; i++) {
        CURL *easy = easies[i] = curl_easy_init();
        require(easy != NULL, "no memory");
        curl_easy_setopt(easy, CURLOPT_URL, url);
        curl_easy_setopt(easy, CURLOPT_NOSIGNAL, 1L);
        curl_easy_setopt(easy, CURLOPT_PROXY, "");
        curl_easy_setopt(easy, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
        curl_easy_setopt(easy, CURLOPT_WRITEFUNCTION, ignore);
        if (kept == SLOTS) {
            CURLSH *share = curl_share_init();
            require(share && curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_CONNECT) == CURLSHE_OK, "no memory");
            curl_easy_setopt(easy, CURLOPT_SHARE, share);
        }
        require(curl_multi_add_handle(multi, easy) == CURLM_OK, "curl_multi_add_handle failed");
    }
    finish_all(multi);
    for (long i = 0; i < count; i++) {
        curl_multi_remove_handle(multi, easies[i]);
        if (kept == NOTHING) curl_easy_cleanup(easies[i]);
    }
    if (kept == NOTHING) free(easies);
}

int main(int count, char **arguments) {
    const char *url = NULL, *assembly = NULL;
    long connections = 0;
    enum kept kept = NOTHING;
    for (int i = 1; i + 1 < count; i += 2) {
        const char *name = arguments[i], *value = arguments[i + 1];
        if (!strcmp(name, "--url")) url = value;
        else if (!strcmp(name, "--assembly")) assembly = value;
        else if (!strcmp(name, "--count")) connections = atol(value);
        else if (!strcmp(name, "--keep") && !strcmp(value, "easies")) kept = EASIES;
        else if (!strcmp(name, "--keep") && !strcmp(value, "slots")) kept = SLOTS;
        else require(0, "unknown option");
    }
    require(url && assembly && connections > 0, "usage: --url URL --assembly URL --count N [--keep easies|slots]");
    struct rlimit limit;
    getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = limit.rlim_max;
    setrlimit(RLIMIT_NOFILE, &limit);

    curl_global_init(CURL_GLOBAL_DEFAULT);
    CURLM *multi = curl_multi_init();
    require(multi != NULL, "no memory");
    curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, connections + 16);
    open_connections(multi, url, 16, NOTHING);
    struct held before = held_now();
    open_connections(multi, assembly, connections, kept);
    struct held after = held_now();
    printf("{\"count\":%ld,\"resident_bytes\":%f,\"allocated_bytes\":%f}\n", connections,
           (after.resident - before.resident) / connections, (after.allocated - before.allocated) / connections);
    return 0;
}
