/* Handshake and frames. */
#include "tests/bench/websocket.h"

#include "tests/bench/bench.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { MESSAGE_BYTES_MAX = 1024 };

static void shake_hands(websocket *websocket, uint16_t port, const char *path);
static void receive(websocket *websocket, size_t wanted);

websocket *websocket_open(uint16_t port)
{
    return websocket_open_path(port, "/", 0);
}

websocket *websocket_open_path(uint16_t port, const char *path, int buffer_bytes)
{
    websocket *websocket = calloc(1, sizeof *websocket);
    if (websocket == NULL) bench_die("out of memory");
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    websocket->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (buffer_bytes > 0) (void)setsockopt(websocket->fd, SOL_SOCKET, SO_RCVBUF, &buffer_bytes, sizeof buffer_bytes);
    if (websocket->fd < 0 || connect(websocket->fd, (const struct sockaddr *)&to, sizeof to) != 0)
        bench_die("cannot connect to port %u: %s", port, strerror(errno));
    shake_hands(websocket, port, path);
    return websocket;
}

void websocket_close(websocket *websocket)
{
    close(websocket->fd);
    free(websocket);
}

static void shake_hands(websocket *websocket, uint16_t port, const char *path)
{
    char request[256];
    const int length = snprintf(request, sizeof request,
                                "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                                path, port);
    if (send(websocket->fd, request, (size_t)length, 0) != length) bench_die("cannot send: %s", strerror(errno));
    const char *end = NULL;
    while (end == NULL) {
        receive(websocket, websocket->end - websocket->begin + 1);
        end = memmem(websocket->bytes, websocket->end, "\r\n\r\n", 4);
    }
    if (memmem(websocket->bytes, websocket->end, " 101 ", 5) == NULL) bench_die("the server refuses a subscriber");
    websocket->begin = (size_t)(end + 4 - websocket->bytes);
}

/* Receives until `wanted` bytes wait to be read. */
static void receive(websocket *websocket, size_t wanted)
{
    if (websocket->begin + wanted > sizeof websocket->bytes) {
        memmove(websocket->bytes, websocket->bytes + websocket->begin, websocket->end - websocket->begin);
        websocket->end -= websocket->begin;
        websocket->begin = 0;
    }
    if (wanted > sizeof websocket->bytes) bench_die("a frame of %zu bytes", wanted);
    while (websocket->end - websocket->begin < wanted) {
        const ssize_t received =
            recv(websocket->fd, websocket->bytes + websocket->end, sizeof websocket->bytes - websocket->end, 0);
        if (received <= 0) bench_die("the server closed a subscriber's connection");
        websocket->end += (size_t)received;
    }
}

const char *websocket_read(websocket *websocket, size_t *length)
{
    for (;;) {
        const char *payload = websocket_next(websocket, length);
        if (payload != NULL) return payload;
        receive(websocket, websocket->end - websocket->begin + 1);
    }
}

void websocket_receive(websocket *websocket)
{
    if (websocket->begin > 0) {
        memmove(websocket->bytes, websocket->bytes + websocket->begin, websocket->end - websocket->begin);
        websocket->end -= websocket->begin;
        websocket->begin = 0;
    }
    const size_t room = sizeof websocket->bytes - websocket->end;
    const ssize_t received = recv(websocket->fd, websocket->bytes + websocket->end, room, MSG_DONTWAIT);
    if (received == 0 || (received < 0 && errno != EAGAIN)) bench_die("the server closed a subscriber's connection");
    if (received > 0) websocket->end += (size_t)received;
}

const char *websocket_next(websocket *websocket, size_t *length)
{
    const size_t held = websocket->end - websocket->begin;
    const uint8_t *header = (const uint8_t *)websocket->bytes + websocket->begin;
    if (held < 2) return NULL;
    const size_t length_bytes = header[1] == 127 ? 8 : header[1] == 126 ? 2 : 0;
    if (held < 2 + length_bytes) return NULL;
    *length = length_bytes == 0 ? header[1] : 0;
    for (size_t i = 0; i < length_bytes; i++) *length = *length << 8 | header[2 + i];
    if (2 + length_bytes + *length > sizeof websocket->bytes) bench_die("a frame of %zu bytes", *length);
    if (held < 2 + length_bytes + *length) return NULL;
    const char *payload = websocket->bytes + websocket->begin + 2 + length_bytes;
    websocket->begin += 2 + length_bytes + *length;
    return payload;
}

void websocket_send(const websocket *websocket, const char *text, size_t length)
{
    uint8_t frame[2 + 2 + 4 + MESSAGE_BYTES_MAX] = {0x81, 0x80 | 126, (uint8_t)(length >> 8), (uint8_t)length};
    if (length > MESSAGE_BYTES_MAX) bench_die("a message of %zu bytes", length);
    memcpy(frame + 8, text, length); /* masked with zeros */
    if (send(websocket->fd, frame, 8 + length, 0) != (ssize_t)(8 + length))
        bench_die("cannot send: %s", strerror(errno));
}
