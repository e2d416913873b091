/* The one error type of symlog. 0 is ok; every function that can fail returns it. */
#ifndef SL_CORE_ERR_H
#define SL_CORE_ERR_H

/* The attribute makes every ignored result a compile error. */
typedef enum __attribute__((warn_unused_result)) sl_err {
    SL_OK = 0,
    SL_ERR_MEMORY,    /* the memory that was given is used up */
    SL_ERR_MALFORMED, /* bytes that do not follow their format */
    SL_ERR_RANGE,     /* a number outside what the function takes */
    SL_ERR_END,       /* nothing (more) there yet */
    SL_ERR_NOT_FOUND, /* no such thing */
    SL_ERR_FULL,      /* a bounded queue, buffer or map is full */
    SL_ERR_BUSY,      /* somebody else holds it (a second writer) */
    SL_ERR_IO,        /* the system refused; the object's message says what and why */
    SL_ERR_CORRUPT,   /* stored bytes do not match their checksum */
    SL_ERR_GAP,       /* stored sequence numbers are not contiguous */
    SL_ERR_VERSION,   /* written by a version that this one does not know */
    SL_ERR_REFUSED,   /* well formed, but against the rules; the message says which */
} sl_err;

/* The name of `err` in plain words ("out of memory"); static, never NULL. */
const char *sl_err_text(sl_err err);

#endif
