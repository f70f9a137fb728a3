/* How fast can the airline fit be? LSTM(4) on windows of 3 steps, a Dense output, Adam, batch 1.
 *
 * Written for just this network: every size is a constant, so that the compiler unrolls and
 * vectorizes everything. Equations, gate order (i, f, c, o), layout of the parameters and Adam
 * are those of Keras.
 *
 *   limit INPUT OUTPUT REPEATS
 *
 * INPUT holds int32 n_rows, int32 n_epochs, then float32: the parameters to start from, the
 * windows (n_rows x 3), the targets (n_rows). Each of the REPEATS fits starts anew and prints
 * its seconds and the loss of its last epoch; the last one's parameters are written to OUTPUT.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { STEPS = 3, UNITS = 4, GATES = 4 * UNITS };

typedef struct {
    float kernel[GATES];
    float recurrent[UNITS][GATES];
    float bias[GATES];
    float dense[UNITS];
    float dense_bias;
} Parameters;

enum { SIZE = sizeof(Parameters) / sizeof(float), PADDED = (SIZE + 15) / 16 * 16 };

/* A flat vector for the optimizer and named parts for the equations, in whole cache lines. */
typedef union {
    Parameters named;
    float flat[PADDED];
} __attribute__((aligned(64))) Vector;

/* tanh as a quotient of polynomials (Eigen's), within 2e-7. */
static inline float fast_tanh(float x) {
    x = fminf(fmaxf(x, -7.90531110763549805f), 7.90531110763549805f);
    float s = x * x;
    float p = -2.76076847742355e-16f * s + 2.00018790482477e-13f;
    p = p * s - 8.60467152213735e-11f;
    p = p * s + 5.12229709037114e-08f;
    p = p * s + 1.48572235717979e-05f;
    p = p * s + 6.37261928875436e-04f;
    p = p * s + 4.89352455891786e-03f;
    float q = 1.19825839466702e-06f * s + 1.18534705686654e-04f;
    q = q * s + 2.26843463243900e-03f;
    q = q * s + 4.89352518554385e-03f;
    return x * p / q;
}

/* Loss of one row, and its gradient. */
static inline float row_gradient(const Parameters *w, const float *x, float y, Parameters *d) {
    float h[STEPS + 1][UNITS] = {{0}}, c[STEPS + 1][UNITS] = {{0}}, tanh_c[STEPS][UNITS];
    float a[STEPS][GATES], dz[STEPS][GATES];

    for (int t = 0; t < STEPS; t++) {
        for (int j = 0; j < GATES; j++) {
            float z = w->bias[j] + x[t] * w->kernel[j];
            for (int u = 0; u < UNITS; u++) z += h[t][u] * w->recurrent[u][j];
            /* sigmoid(z) = (1 + tanh(z / 2)) / 2 */
            float s = j / UNITS == 2 ? 1.0f : 0.5f;
            a[t][j] = s * fast_tanh(s * z) + (1.0f - s);
        }
        for (int u = 0; u < UNITS; u++) {
            c[t + 1][u] = a[t][UNITS + u] * c[t][u] + a[t][u] * a[t][2 * UNITS + u];
            tanh_c[t][u] = fast_tanh(c[t + 1][u]);
            h[t + 1][u] = a[t][3 * UNITS + u] * tanh_c[t][u];
        }
    }
    float error = w->dense_bias - y;
    for (int u = 0; u < UNITS; u++) error += h[STEPS][u] * w->dense[u];

    float dh[UNITS], dc[UNITS] = {0};
    d->dense_bias = 2.0f * error;
    for (int u = 0; u < UNITS; u++) {
        d->dense[u] = 2.0f * error * h[STEPS][u];
        dh[u] = 2.0f * error * w->dense[u];
    }
    for (int t = STEPS - 1; t >= 0; t--) {
        for (int u = 0; u < UNITS; u++) {
            float i = a[t][u], f = a[t][UNITS + u], g = a[t][2 * UNITS + u];
            float o = a[t][3 * UNITS + u], tc = tanh_c[t][u];
            float dct = dc[u] + dh[u] * o * (1.0f - tc * tc);
            dz[t][u] = dct * g * i * (1.0f - i);
            dz[t][UNITS + u] = dct * c[t][u] * f * (1.0f - f);
            dz[t][2 * UNITS + u] = dct * i * (1.0f - g * g);
            dz[t][3 * UNITS + u] = dh[u] * tc * o * (1.0f - o);
            dc[u] = dct * f;
        }
        for (int u = 0; u < UNITS && t > 0; u++) {
            float sum = 0.0f;
            for (int j = 0; j < GATES; j++) sum += w->recurrent[u][j] * dz[t][j];
            dh[u] = sum;
        }
    }
    for (int j = 0; j < GATES; j++) {
        float in = 0.0f, one = 0.0f;
        for (int t = 0; t < STEPS; t++) {
            in += x[t] * dz[t][j];
            one += dz[t][j];
        }
        d->kernel[j] = in;
        d->bias[j] = one;
    }
    for (int u = 0; u < UNITS; u++)
        for (int j = 0; j < GATES; j++) {
            float sum = 0.0f;
            for (int t = 1; t < STEPS; t++) sum += h[t][u] * dz[t][j];
            d->recurrent[u][j] = sum;
        }
    return error * error;
}

static inline void adam(Vector *w, const Vector *d, Vector *m, Vector *v, float alpha) {
    for (int j = 0; j < PADDED; j++) {
        float g = d->flat[j];
        m->flat[j] += (g - m->flat[j]) * 0.1f;
        v->flat[j] += (g * g - v->flat[j]) * 0.001f;
        w->flat[j] -= m->flat[j] * alpha / (sqrtf(v->flat[j]) + 1e-7f);
    }
}

static float fit(Vector *w, const float *x, const float *y, int n_rows, int n_epochs) {
    Vector d = {0}, m = {0}, v = {0};
    double beta_1 = 1.0, beta_2 = 1.0;
    float loss = 0.0f;
    for (int epoch = 0; epoch < n_epochs; epoch++) {
        loss = 0.0f;
        for (int row = 0; row < n_rows; row++) {
            loss += row_gradient(&w->named, x + STEPS * row, y[row], &d.named);
            beta_1 *= 0.9;
            beta_2 *= 0.999;
            adam(w, &d, &m, &v, (float)(0.001 * sqrt(1.0 - beta_2) / (1.0 - beta_1)));
        }
    }
    return loss / n_rows;
}

static double now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec + 1e-9 * time.tv_nsec;
}

static void read_all(void *target, size_t size, size_t count, FILE *file) {
    if (fread(target, size, count, file) != count) {
        fprintf(stderr, "the input is too short\n");
        exit(1);
    }
}

int main(int n_arguments, char **arguments) {
    if (n_arguments != 4) {
        fprintf(stderr, "usage: limit INPUT OUTPUT REPEATS\n");
        return 1;
    }
    FILE *input = fopen(arguments[1], "rb"), *output = fopen(arguments[2], "wb");
    if (!input || !output) {
        perror("limit");
        return 1;
    }
    int32_t sizes[2];
    read_all(sizes, sizeof(int32_t), 2, input);
    int n_rows = sizes[0], n_epochs = sizes[1];
    Vector start = {0}, w;
    float *x = malloc(sizeof(float) * STEPS * n_rows), *y = malloc(sizeof(float) * n_rows);
    read_all(start.flat, sizeof(float), SIZE, input);
    read_all(x, sizeof(float), (size_t)STEPS * n_rows, input);
    read_all(y, sizeof(float), n_rows, input);

    for (int repeat = 0; repeat < atoi(arguments[3]); repeat++) {
        w = start;
        double before = now();
        float loss = fit(&w, x, y, n_rows, n_epochs);
        printf("%.9f %.9g\n", now() - before, loss);
    }
    fwrite(w.flat, sizeof(float), SIZE, output);
    return fclose(output);
}
