/* Angles of any size. */
#ifndef VEKT_ANGLE_H
#define VEKT_ANGLE_H

/* For finite |x| >= 2^40: x = (quarter + whole turns) pi/2 + angle[0] + angle[1], |angle[0]| <= pi/4; the relative
 * error is below 2^-70. */
int vekt_far_angle(double x, double angle[2]);

#endif
