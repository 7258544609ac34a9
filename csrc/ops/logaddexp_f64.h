/* log(e^x + e^y) = m + log(1 + E), m the greater one, E = e^-|x - y|; in double, as the two may nearly cancel, and of
 * doubles in two words. */

/* log(1 + E) = T + log(1 + r), r = (1 + E) c - 1, and r = E up to E = 1/30: the row of the tables. */
INLINE vi64 row_of_1_plus(vf64 e) { return v_bits(v_mad(e, v_splat_f64(15), v_splat_f64(ROUNDER_f64))); }

INLINE vf64 logaddexp_value_f64(const vf64 *x) {
    const vf64 m = maximum_value_f64(x), least = v_min(x[0], x[1]), limit = v_splat_f64(-EXP_LIMIT_f64);
    const vf64 away = v_select(v_eq(x[0], x[1]), v_splat_f64(0), least - m),
               d = v_select(v_lt(away, limit), limit, away);
    const vf64 moved = away - least, lost = (least - (away - moved)) + (-m - moved); /* Knuth's sum */
    const mask_f64 finite = v_lt(v_abs(m), v_splat_f64(INFINITY));
    const vf64 d_low = v_select(v_lt(limit, away) & finite, lost, v_splat_f64(0));
    const pair_f64 e = exp_pair_f64(d, &d_low, HALF_RANGE);
    const vf64 tiny = v_splat_f64(TINY_SCALE), whole = v_mad(e.head, e.rest, e.head);
    const vf64 power = whole * tiny, power_low = v_mad(e.head, e.rest, e.head - whole) * tiny;
    const vi64 row = row_of_1_plus(power);
    const vf64 c = v_lookup_f64(ONE_PLUS_INVERSE_f64, row), product = power * c, r = product + (c - v_splat_f64(1));
    const vf64 r_low = v_mad(power_low, c, v_fma(power, c, -product)); /* r is exact */
    const vf64 table = v_lookup_f64(ONE_PLUS_LOG_f64, row), log = table + r, log_low = r - (log - table);
    const vf64 series = v_mad(r * r, HORNER(ONE_PLUS_SERIES_f64, r), v_lookup_f64(ONE_PLUS_LOG_LOW_f64, row));
    const vf64 low = (series + v_mad(-r_low, r, r_low)) + log_low;
    const vf64 sum = m + log, added = sum - m, sum_low = (m - (sum - added)) + (log - added);
    return v_select(finite, sum + (sum_low + low), sum);
}
