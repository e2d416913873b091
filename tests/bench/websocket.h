/* A minimal WebSocket subscriber (RFC 6455): the handshake, and reading frames that the server does not mask. */
#ifndef SL_TESTS_BENCH_WEBSOCKET_H
#define SL_TESTS_BENCH_WEBSOCKET_H

#include <stddef.h>
#include <stdint.h>

enum { WEBSOCKET_BUFFER_BYTES = 1 << 20 };

typedef struct websocket {
    int fd;
    size_t begin; /* of what was received and not yet read */
    size_t end;
    char bytes[WEBSOCKET_BUFFER_BYTES];
} websocket;

/* Connects to 127.0.0.1:`port`, asking for `path` ("/", with what is wished). `buffer_bytes`: what the kernel shall
 * hold at most of what is not read; 0: its default. */
websocket *websocket_open_path(uint16_t port, const char *path, int buffer_bytes);

/* The same for "/". */
websocket *websocket_open(uint16_t port);
void websocket_close(websocket *websocket);

/* Waits for the next frame and gives its payload, valid until the next call. */
const char *websocket_read(websocket *websocket, size_t *length);

/* Receives what the kernel holds, as far as there is room, without waiting. */
void websocket_receive(websocket *websocket);

/* The next frame of what has been received, valid until the next call; NULL: it is not whole yet. */
const char *websocket_next(websocket *websocket, size_t *length);

/* Sends a text. */
void websocket_send(const websocket *websocket, const char *text, size_t length);

#endif
