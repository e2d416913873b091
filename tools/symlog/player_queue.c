/* The queue before the player. */
#include "tools/symlog/player_queue.h"

#include <stdlib.h>

static void clear(sl_player_queue *queue)
{
    queue->first = NULL;
    queue->end = &queue->first;
    queue->count = queue->bytes = 0;
}

void sl_player_queue_open(sl_player_queue *queue)
{
    pthread_mutex_init(&queue->lock, NULL);
    clear(queue);
}

void sl_player_queue_close(sl_player_queue *queue)
{
    for (sl_player_item *item = sl_player_queue_take(queue); item != NULL;) {
        sl_player_item *next = item->next;
        free(item);
        item = next;
    }
    pthread_mutex_destroy(&queue->lock);
}

sl_err sl_player_queue_put(sl_player_queue *queue, sl_player_item *item)
{
    item->next = NULL;
    pthread_mutex_lock(&queue->lock);
    const bool is_alone = queue->count == 0;
    const bool fits = is_alone || (queue->count < SL_PLAYER_QUEUE_ITEMS_MAX &&
                                   queue->bytes + item->length <= SL_PLAYER_QUEUE_BYTES_MAX);
    if (fits) {
        *queue->end = item;
        queue->end = &item->next;
        queue->count++;
        queue->bytes += item->length;
    }
    pthread_mutex_unlock(&queue->lock);
    if (!fits) free(item);
    return fits ? SL_OK : SL_ERR_FULL;
}

bool sl_player_queue_is_half_full(sl_player_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    const bool is_half_full =
        queue->count >= SL_PLAYER_QUEUE_ITEMS_MAX / 2 || queue->bytes >= SL_PLAYER_QUEUE_BYTES_MAX / 2;
    pthread_mutex_unlock(&queue->lock);
    return is_half_full;
}

sl_player_item *sl_player_queue_take(sl_player_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    sl_player_item *first = queue->first;
    clear(queue);
    pthread_mutex_unlock(&queue->lock);
    return first;
}
