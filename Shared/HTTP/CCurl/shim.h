#pragma once

// The type checks are macros of gcc's that clang's importer has no use for.
#define CURL_DISABLE_TYPECHECK 1
#include <curl/curl.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>

// Swift cannot call C's variadic functions: here is one function for each kind of argument.
static inline CURLcode ccurl_set_long(CURL *easy, CURLoption option, long value) { return curl_easy_setopt(easy, option, value); }
static inline CURLcode ccurl_set_size(CURL *easy, CURLoption option, curl_off_t value) { return curl_easy_setopt(easy, option, value); }
static inline CURLcode ccurl_set_pointer(CURL *easy, CURLoption option, const void *value) { return curl_easy_setopt(easy, option, value); }
static inline CURLcode ccurl_set_string(CURL *easy, CURLoption option, const char *value) { return curl_easy_setopt(easy, option, value); }

typedef size_t (*ccurl_bytes_callback)(char *bytes, size_t size, size_t count, void *context);
static inline CURLcode ccurl_set_bytes_callback(CURL *easy, CURLoption option, ccurl_bytes_callback callback) {
    return curl_easy_setopt(easy, option, callback);
}

typedef int (*ccurl_request_callback)(void *context, char *peer, char *local, int peer_port, int local_port);
static inline CURLcode ccurl_set_request_callback(CURL *easy, ccurl_request_callback callback, void *context) {
    CURLcode code = curl_easy_setopt(easy, CURLOPT_PREREQDATA, context);
    return code == CURLE_OK ? curl_easy_setopt(easy, CURLOPT_PREREQFUNCTION, callback) : code;
}

// libcurl opens sockets that a child process would inherit; these it does not.
static inline curl_socket_t ccurl_open_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address) {
    (void)context;
    (void)purpose;
    return socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}
static inline CURLcode ccurl_close_on_exec(CURL *easy) { return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, ccurl_open_socket); }

// Addresses that are not the world's: this host, private and shared networks, links, documentation, multicast (RFC 6890, RFC 4291).
static inline int ccurl_is_private_v4(uint32_t address) {
    uint32_t a = address >> 24, b = address >> 16 & 255, c = address >> 8 & 255;
    return a == 0 || a == 10 || a == 127 || a >= 224 || (a == 100 && (b & 0xc0) == 64) || (a == 169 && b == 254) ||
           (a == 172 && (b & 0xf0) == 16) || (a == 192 && b == 168) || (a == 192 && b == 0 && (c == 0 || c == 2)) ||
           (a == 198 && ((b & 0xfe) == 18 || (b == 51 && c == 100))) || (a == 203 && b == 0 && c == 113);
}
static inline int ccurl_is_private(const struct sockaddr *address) {
    if (address->sa_family == AF_INET) return ccurl_is_private_v4(ntohl(((const struct sockaddr_in *)address)->sin_addr.s_addr));
    if (address->sa_family != AF_INET6) return 1;
    const uint8_t *v6 = ((const struct sockaddr_in6 *)address)->sin6_addr.s6_addr;
    uint32_t last = (uint32_t)v6[12] << 24 | (uint32_t)v6[13] << 16 | (uint32_t)v6[14] << 8 | v6[15];
    // 2000::/3 is what the world uses; within it 2002::/16 and 2001::/32 carry addresses of version 4.
    if ((v6[0] & 0xe0) == 0x20) {
        if (v6[0] == 0x20 && v6[1] == 0x02) return ccurl_is_private_v4((uint32_t)v6[2] << 24 | (uint32_t)v6[3] << 16 | (uint32_t)v6[4] << 8 | v6[5]);
        return v6[0] == 0x20 && v6[1] == 0x01 && (v6[2] & 0xfe) == 0 && v6[3] < 0x10 ? 1 : v6[0] == 0x20 && v6[1] == 0x01 && v6[2] == 0x0d && v6[3] == 0xb8;
    }
    static const uint8_t mapped[12] = {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff}, translated[12] = {0, 0x64, 0xff, 0x9b};
    if (memcmp(v6, mapped, 12) == 0 || memcmp(v6, translated, 12) == 0) return ccurl_is_private_v4(last);
    return 1;
}
// Asked before anything is sent: who is refused learns no more than that nobody answers.
static inline curl_socket_t ccurl_open_public_socket(void *context, curlsocktype purpose, struct curl_sockaddr *address) {
    return ccurl_is_private(&address->addr) ? CURL_SOCKET_BAD : ccurl_open_socket(context, purpose, address);
}
static inline CURLcode ccurl_public_addresses_alone(CURL *easy) {
    return curl_easy_setopt(easy, CURLOPT_OPENSOCKETFUNCTION, ccurl_open_public_socket);
}

static inline CURLcode ccurl_get_pointer(CURL *easy, CURLINFO info, void **value) { return curl_easy_getinfo(easy, info, value); }
static inline CURLcode ccurl_get_size(CURL *easy, CURLINFO info, curl_off_t *value) { return curl_easy_getinfo(easy, info, value); }

static inline CURLMcode ccurl_multi_set_long(CURLM *multi, CURLMoption option, long value) { return curl_multi_setopt(multi, option, value); }

typedef int (*ccurl_socket_callback)(CURL *easy, curl_socket_t socket, int what, void *context, void *socket_context);
static inline CURLMcode ccurl_multi_set_socket_callback(CURLM *multi, ccurl_socket_callback callback, void *context) {
    CURLMcode code = curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, context);
    return code == CURLM_OK ? curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, callback) : code;
}

typedef int (*ccurl_timer_callback)(CURLM *multi, long milliseconds, void *context);
static inline CURLMcode ccurl_multi_set_timer_callback(CURLM *multi, ccurl_timer_callback callback, void *context) {
    CURLMcode code = curl_multi_setopt(multi, CURLMOPT_TIMERDATA, context);
    return code == CURLM_OK ? curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, callback) : code;
}

// The result lies in a union without a name, which Swift shows under a made-up one.
static inline CURLcode ccurl_result(const CURLMsg *message) { return message->data.result; }

static inline CURLcode ccurl_global_init(void) { return curl_global_init(CURL_GLOBAL_DEFAULT); }
