/* POST /v1/embeddings: equal texts give equal vectors of length one. */
#include "daemon/mock/mock_priv.h"

#include <math.h>
#include <stdlib.h>

#include "json/json_scan.h"

#define DIMENSIONS 256
#define DIMENSIONS_MAX 4096
#define INPUTS_MAX 2048

static void fill(float *vector, size_t n, uint64_t key)
{
    double sum = 0;

    for (size_t i = 0; i < n; i++) {
        double x = (double)(mock_mix(key, i) % 20001) - 10000;

        vector[i] = (float)x;
        sum += x * x;
    }
    for (size_t i = 0; sum > 0 && i < n; i++)
        vector[i] = (float)((double)vector[i] / sqrt(sum));
}

static int put_floats(struct buf *out, const float *vector, size_t n, struct err *err)
{
    if (buf_reserve(out, n * 20 + 2, err) < 0)
        return -1;
    for (size_t i = 0; i < n; i++)
        buf_printf(out, "%c%.9g", i == 0 ? '[' : ',', (double)vector[i]);
    buf_put(out, STR("]"));
    return 0;
}

/* Little endian, as every client expects. */
static void put_bytes(unsigned char *bytes, const float *vector, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t word;

        memcpy(&word, &vector[i], sizeof(word));
        for (unsigned b = 0; b < 4; b++)
            bytes[i * 4 + b] = (unsigned char)(word >> (8 * b));
    }
}

static int put_base64(struct buf *out, const float *vector, size_t n, struct err *err)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    unsigned char bytes[DIMENSIONS_MAX * 4 + 2] = {0};
    size_t len = n * 4;
    char *to;

    if (buf_reserve(out, (len + 2) / 3 * 4 + 2, err) < 0)
        return -1;
    put_bytes(bytes, vector, n);
    buf_put(out, STR("\""));
    to = out->ptr + out->len;
    for (size_t i = 0; i < len; i += 3) {
        unsigned x = (unsigned)bytes[i] << 16 | (unsigned)bytes[i + 1] << 8 | bytes[i + 2];

        *to++ = digits[x >> 18];
        *to++ = digits[x >> 12 & 63];
        *to++ = i + 1 < len ? digits[x >> 6 & 63] : '=';
        *to++ = i + 2 < len ? digits[x & 63] : '=';
    }
    out->len = (size_t)(to - out->ptr);
    buf_put(out, STR("\""));
    return 0;
}

struct job {
    const struct mock_request *request;
    float *vector;
    size_t dimensions, count;
    bool base64;
};

static int put_one(struct job *job, struct buf *out, struct str input, struct err *err)
{
    if (job->count == INPUTS_MAX)
        return err_set(err, ERR_INVALID, "'input' has more than %d elements.", INPUTS_MAX);
    fill(job->vector, job->dimensions, mock_hash(job->request->options.seed, input));
    if (buf_reserve(out, 256, err) < 0)
        return -1;
    buf_printf(out,
               "%s{\"object\":\"embedding\",\"index\":%zu,\"embedding\":", job->count ? "," : "",
               job->count);
    job->count++;
    if ((job->base64 ? put_base64 : put_floats)(out, job->vector, job->dimensions, err) < 0)
        return -1;
    buf_put(out, STR("}"));
    return 0;
}

/* A text, texts, a list of token numbers, or lists of them. */
static int put_all(struct job *job, struct buf *out, struct str input, struct err *err)
{
    struct json_iter it;

    if (json_type_of(input) == JSON_ARRAY) {
        it = json_iter(input);
        if (json_next(&it) && json_type_of(it.value) != JSON_NUMBER) {
            do {
                if (put_one(job, out, it.value, err) < 0)
                    return -1;
            } while (json_next(&it));
            return 0;
        }
    }
    return put_one(job, out, input, err);
}

static int read_job(struct job *job, struct str body, struct str *input, struct err *err)
{
    struct str value;
    int64_t n;

    if (!json_member(body, STR("input"), input))
        return err_set(err, ERR_INVALID, "Missing required parameter: 'input'.");
    if (json_member(body, STR("dimensions"), &value)) {
        if (!str_int64(value, &n) || n < 1 || n > DIMENSIONS_MAX)
            return err_set(err, ERR_INVALID, "'dimensions' must be from 1 to %d.", DIMENSIONS_MAX);
        job->dimensions = (size_t)n;
    }
    job->base64 = json_member(body, STR("encoding_format"), &value) &&
                  json_type_of(value) == JSON_STRING && json_string_is(value, STR("base64"));
    job->vector = calloc(job->dimensions, sizeof(*job->vector));
    return job->vector ? 0 : err_set(err, ERR_NO_MEMORY, "no memory");
}

/* Token numbers count one each; in texts they are counted as everywhere. */
static int64_t count(struct str input)
{
    int64_t n = mock_count_tokens(input);
    bool number = false, text = false;

    for (size_t i = 0; i < input.len; i++) {
        bool digit = !text && input.ptr[i] >= '0' && input.ptr[i] <= '9';

        if (input.ptr[i] == '\\')
            i++;
        else if (input.ptr[i] == '"')
            text = !text;
        n += digit && !number;
        number = digit;
    }
    return n > 0 ? n : 1;
}

int mock_embeddings(struct buf *out, const struct mock_request *r, struct str body, struct err *err)
{
    struct job job = {.request = r, .dimensions = DIMENSIONS};
    struct str input;
    int rc = -1;

    if (read_job(&job, body, &input, err) < 0)
        goto out;
    buf_put(out, STR("{\"object\":\"list\",\"data\":["));
    if (put_all(&job, out, input, err) < 0)
        goto out;
    buf_put(out, STR("],\"model\":"));
    buf_put(out, r->model_json);
    if (!r->options.no_usage) {
        long long tokens = count(input);

        buf_printf(out, ",\"usage\":{\"prompt_tokens\":%lld,\"total_tokens\":%lld}", tokens,
                   tokens);
    }
    buf_put(out, STR("}"));
    rc = 0;
out:
    free(job.vector);
    return rc;
}
