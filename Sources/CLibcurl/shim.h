#ifndef POOLSCOPE_CLIBCURL_SHIM_H
#define POOLSCOPE_CLIBCURL_SHIM_H

// libcurl's setters are variadic C, which Swift cannot call, and its type-checking macros would get in
// the way of the wrappers below. Each wrapper fixes the one type that its options take.
#define CURL_DISABLE_TYPECHECK 1
#include <curl/curl.h>

static inline CURLcode poolscope_global_init(void) { return curl_global_init(CURL_GLOBAL_DEFAULT); }

static inline const curl_version_info_data *poolscope_version(void) { return curl_version_info(CURLVERSION_NOW); }

static inline CURLcode poolscope_easy_set_long(CURL *easy, CURLoption option, long value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode poolscope_easy_set_offset(CURL *easy, CURLoption option, curl_off_t value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode poolscope_easy_set_string(CURL *easy, CURLoption option, const char *value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode poolscope_easy_set_pointer(CURL *easy, CURLoption option, void *value) {
    return curl_easy_setopt(easy, option, value);
}
static inline CURLcode poolscope_easy_set_list(CURL *easy, CURLoption option, struct curl_slist *value) {
    return curl_easy_setopt(easy, option, value);
}
// libcurl copies the bytes.
static inline CURLcode poolscope_easy_set_blob(CURL *easy, CURLoption option, const void *bytes, size_t count) {
    struct curl_blob blob = {(void *)bytes, count, CURL_BLOB_COPY};
    return curl_easy_setopt(easy, option, &blob);
}
// How many bytes there are was set before. libcurl copies them.
static inline CURLcode poolscope_easy_set_bytes(CURL *easy, CURLoption option, const void *bytes) {
    return curl_easy_setopt(easy, option, bytes ? bytes : "");
}
static inline CURLcode poolscope_easy_set_data_function(
    CURL *easy, CURLoption option, size_t (*function)(char *, size_t, size_t, void *)) {
    return curl_easy_setopt(easy, option, function);
}
static inline CURLcode poolscope_easy_set_seek_function(CURL *easy, int (*function)(void *, curl_off_t, int)) {
    return curl_easy_setopt(easy, CURLOPT_SEEKFUNCTION, function);
}
static inline CURLcode poolscope_easy_set_prereq_function(
    CURL *easy, int (*function)(void *, char *, char *, int, int)) {
    return curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, function);
}
static inline CURLcode poolscope_easy_set_tls_function(
    CURL *easy, CURLcode (*function)(void *, void *, void *)) {
    return curl_easy_setopt(easy, CURLOPT_SSL_CTX_FUNCTION, function);
}
static inline CURLcode poolscope_easy_set_open_socket_function(
    CURL *easy, curl_socket_t (*function)(void *, curlsocktype, struct curl_sockaddr *)) {
    return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, function);
}
static inline CURLcode poolscope_easy_set_close_socket_function(
    CURL *easy, int (*function)(void *, curl_socket_t)) {
    return curl_easy_setopt(easy, CURLOPT_CLOSESOCKETFUNCTION, function);
}

static inline CURLcode poolscope_easy_get_long(CURL *easy, CURLINFO info, long *value) {
    return curl_easy_getinfo(easy, info, value);
}
static inline CURLcode poolscope_easy_get_offset(CURL *easy, CURLINFO info, curl_off_t *value) {
    return curl_easy_getinfo(easy, info, value);
}
static inline CURLcode poolscope_easy_get_socket(CURL *easy, curl_socket_t *value) {
    return curl_easy_getinfo(easy, CURLINFO_ACTIVESOCKET, value);
}
static inline CURLcode poolscope_easy_get_private(CURL *easy, char **value) {
    return curl_easy_getinfo(easy, CURLINFO_PRIVATE, value);
}

// OpenSSL's session (SSL *) of the connection that a transfer uses; null without TLS, or with another library.
static inline void *poolscope_easy_get_openssl_session(CURL *easy) {
    const struct curl_tlssessioninfo *info = 0;
    if (curl_easy_getinfo(easy, CURLINFO_TLS_SSL_PTR, &info) != CURLE_OK || !info) return 0;
    return info->backend == CURLSSLBACKEND_OPENSSL ? info->internals : 0;
}

static inline CURLMcode poolscope_multi_set_long(CURLM *multi, CURLMoption option, long value) {
    return curl_multi_setopt(multi, option, value);
}
static inline CURLMcode poolscope_multi_set_pointer(CURLM *multi, CURLMoption option, void *value) {
    return curl_multi_setopt(multi, option, value);
}
static inline CURLMcode poolscope_multi_set_socket_function(
    CURLM *multi, int (*function)(CURL *, curl_socket_t, int, void *, void *)) {
    return curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, function);
}
static inline CURLMcode poolscope_multi_set_timer_function(
    CURLM *multi, int (*function)(CURLM *, long, void *)) {
    return curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, function);
}

static inline CURLSHcode poolscope_share_connections(CURLSH *share) {
    return curl_share_setopt(share, CURLSHOPT_SHARE, CURL_LOCK_DATA_CONNECT);
}

// The result of a finished transfer sits in a union.
static inline CURLcode poolscope_message_result(const CURLMsg *message) { return message->data.result; }

#endif
