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

static void shake_hands(websocket *websocket, uint16_t port);
static void receive(websocket *websocket, size_t wanted);

websocket *websocket_open(uint16_t port)
{
    websocket *websocket = calloc(1, sizeof *websocket);
    if (websocket == NULL) bench_die("out of memory");
    const struct sockaddr_in to = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
    websocket->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (websocket->fd < 0 || connect(websocket->fd, (const struct sockaddr *)&to, sizeof to) != 0)
        bench_die("cannot connect to port %u: %s", port, strerror(errno));
    shake_hands(websocket, port);
    return websocket;
}

void websocket_close(websocket *websocket)
{
    close(websocket->fd);
    free(websocket);
}

static void shake_hands(websocket *websocket, uint16_t port)
{
    char request[256];
    const int length = snprintf(request, sizeof request,
                                "GET / HTTP/1.1\r\nHost: 127.0.0.1:%u\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                                "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n\r\n",
                                port);
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
    receive(websocket, 2);
    const uint8_t *header = (const uint8_t *)websocket->bytes + websocket->begin;
    const uint8_t code = header[1];
    const size_t length_bytes = code == 127 ? 8 : code == 126 ? 2 : 0;
    receive(websocket, 2 + length_bytes);
    header = (const uint8_t *)websocket->bytes + websocket->begin;
    *length = length_bytes == 0 ? code : 0;
    for (size_t i = 0; i < length_bytes; i++) *length = *length << 8 | header[2 + i];
    receive(websocket, 2 + length_bytes + *length);
    const char *payload = websocket->bytes + websocket->begin + 2 + length_bytes;
    websocket->begin += 2 + length_bytes + *length;
    return payload;
}
