/* Sound files, by libsndfile. */
#include "tools/symlog/sound_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sndfile.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { CHANNELS = 2, HEADER_BYTES_MAX = 1024 };

struct sl_sound_file {
    SNDFILE *sound;
    char path[PATH_MAX];
    char part[PATH_MAX]; /* its name until it is whole; "": it is no file that could be renamed */
};

/* What a name's ending says. */
typedef struct format {
    const char *ending;
    int format;
} format;

static const format formats[] = {
    {".wav", SF_FORMAT_WAV | SF_FORMAT_FLOAT},
    {".flac", SF_FORMAT_FLAC | SF_FORMAT_PCM_24},
    {".f32", SF_FORMAT_RAW | SF_FORMAT_FLOAT | SF_ENDIAN_LITTLE},
    {"-", SF_FORMAT_RAW | SF_FORMAT_FLOAT | SF_ENDIAN_LITTLE},
};

static int find_format(const char *path, uint64_t frames);
static int open_part(sl_sound_file *file, char errmsg[256]);

sl_err sl_sound_file_create(sl_sound_file **out, const char *path, uint32_t rate, uint64_t frames, char errmsg[256])
{
    *out = NULL;
    SF_INFO info = {.samplerate = (int)rate, .channels = CHANNELS, .format = find_format(path, frames)};
    if (info.format == 0) {
        snprintf(errmsg, 256, "%.150s: a file of sound ends in .wav, .flac or .f32; or it is -, standard output", path);
        return SL_ERR_MALFORMED;
    }
    if (strlen(path) + sizeof ".4294967295.part" > PATH_MAX) {
        snprintf(errmsg, 256, "the name of the file is too long");
        return SL_ERR_IO;
    }
    sl_sound_file *file = calloc(1, sizeof *file);
    if (file == NULL) {
        snprintf(errmsg, 256, "%s", sl_err_text(SL_ERR_MEMORY));
        return SL_ERR_MEMORY;
    }
    snprintf(file->path, sizeof file->path, "%s", path);
    const int fd = open_part(file, errmsg);
    if (fd >= 0) file->sound = sf_open_fd(fd, SFM_WRITE, &info, SF_TRUE);
    if (fd >= 0 && file->sound == NULL)
        snprintf(errmsg, 256, "%.150s cannot be written: %.80s", path, sf_strerror(NULL));
    if (file->sound == NULL) {
        sl_sound_file_discard(file);
        return SL_ERR_IO;
    }
    /* Whose chunk has the time in it. */
    sf_command(file->sound, SFC_SET_ADD_PEAK_CHUNK, NULL, SF_FALSE);
    sf_command(file->sound, SFC_SET_CLIPPING, NULL, SF_TRUE);
    *out = file;
    return SL_OK;
}

static int find_format(const char *path, uint64_t frames)
{
    const size_t length = strlen(path);
    for (size_t i = 0; i < sizeof formats / sizeof formats[0]; i++) {
        const size_t ending = strlen(formats[i].ending);
        const bool is_whole = strcmp(formats[i].ending, "-") == 0;
        if (length < ending || (is_whole && length > ending)) continue;
        if (strcmp(path + length - ending, formats[i].ending) != 0) continue;
        const bool is_wav = (formats[i].format & SF_FORMAT_TYPEMASK) == SF_FORMAT_WAV;
        const bool is_big = frames > (UINT32_MAX - HEADER_BYTES_MAX) / (CHANNELS * sizeof(float));
        return is_wav && is_big ? SF_FORMAT_RF64 | SF_FORMAT_FLOAT : formats[i].format;
    }
    return 0;
}

/* A device or a pipe is written as it is: it must not be replaced by a file. */
static int open_part(sl_sound_file *file, char errmsg[256])
{
    struct stat there;
    int fd = -1;
    if (strcmp(file->path, "-") == 0) {
        fd = dup(STDOUT_FILENO);
    } else if (stat(file->path, &there) == 0 && !S_ISREG(there.st_mode)) {
        if (S_ISDIR(there.st_mode)) {
            snprintf(errmsg, 256, "%.150s is a folder; name a file in it", file->path);
            return -1;
        }
        fd = open(file->path, O_WRONLY | O_CLOEXEC);
    } else {
        snprintf(file->part, sizeof file->part, "%.*s.%u.part", PATH_MAX - 20, file->path, (unsigned)getpid());
        fd = open(file->part, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (fd < 0) file->part[0] = '\0';
    }
    if (fd < 0) snprintf(errmsg, 256, "%.150s cannot be written: %s", file->path, strerror(errno));
    return fd;
}

sl_err sl_sound_file_write(sl_sound_file *file, const float *left_right, size_t frames, char errmsg[256])
{
    errno = 0;
    if (sf_writef_float(file->sound, left_right, (sf_count_t)frames) == (sf_count_t)frames) return SL_OK;
    if (errno == EPIPE) return SL_ERR_END;
    snprintf(errmsg, 256, "%.150s cannot be written: %.80s", file->path, sf_strerror(file->sound));
    return SL_ERR_IO;
}

sl_err sl_sound_file_finish(sl_sound_file *file, char errmsg[256])
{
    errno = 0;
    const int code = sf_close(file->sound);
    file->sound = NULL;
    sl_err err = code == 0 ? SL_OK : SL_ERR_IO;
    if (err == SL_OK && file->part[0] != '\0' && rename(file->part, file->path) != 0) err = SL_ERR_IO;
    if (err == SL_OK) file->part[0] = '\0';
    if (err != SL_OK)
        snprintf(errmsg, 256, "%.150s cannot be written: %.80s", file->path,
                 errno != 0 ? strerror(errno) : sf_error_number(code));
    sl_sound_file_discard(file);
    return err;
}

void sl_sound_file_discard(sl_sound_file *file)
{
    if (file == NULL) return;
    if (file->sound != NULL) sf_close(file->sound);
    if (file->part[0] != '\0') unlink(file->part);
    free(file);
}
