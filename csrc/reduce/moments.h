/* What is known of some elements: how many, their mean in two parts, and the sum of their squared deviations from it.
 * T. F. Chan, G. H. Golub, R. J. LeVeque, Algorithms for computing the sample variance, 1983: formula 2.1. */
#ifndef VEKT_MOMENTS_H
#define VEKT_MOMENTS_H

enum { VEKT_MOMENTS_COUNT, VEKT_MOMENTS_MEAN, VEKT_MOMENTS_REST, VEKT_MOMENTS_SQUARES, VEKT_N_MOMENTS };

/* Those of both.  The mean in two parts leaves no more of the difference of two means than their rounding, however
 * large the numbers are beside their deviations. */
static inline __attribute__((always_inline)) void vekt_merge_moments(double *a_count, double *a_mean, double *a_rest,
                                                                     double *a_squares, double b_count, double b_mean,
                                                                     double b_rest, double b_squares) {
    const double a = *a_count, count = a + b_count;
    const double share = b_count / (count > 0 ? count : 1);
    const double apart = (b_mean - *a_mean) + (b_rest - *a_rest), moved = *a_rest + apart * share;
    const double mean = *a_mean + moved, added = mean - *a_mean;
    const double rest = (*a_mean - (mean - added)) + (moved - added);
    const double squares = *a_squares + b_squares + apart * apart * (a * share);
    /* Infinities, whose mean is one of them or NaN: there is no difference to speak of. */
    const int finite = __builtin_fabs(apart) <= __DBL_MAX__;
    const double joined = *a_mean * (1 - share) + b_mean * share;
    const int first = a == 0, none = b_count == 0;
    *a_count = count;
    *a_mean = none ? *a_mean : first ? b_mean : finite ? mean : joined;
    *a_rest = none ? *a_rest : first ? b_rest : finite ? rest : 0;
    *a_squares = none ? *a_squares : first ? b_squares : squares;
}

#endif
