/*
 * The findings of a probe for people: on standard output, part by part, as
 * they come; 80 columns, colour where it is asked for.
 */
#ifndef EXHIBIT_H
#define EXHIBIT_H

#include "findings.h"
#include "pool.h"

struct exhibit {
	bool on;			/* false: nothing is shown */
	bool colour;
	bool begun;
	struct pool *pool;
};

void	exhibit_begin(struct exhibit *, bool on, bool colour, struct pool *);
void	exhibit_services(struct exhibit *, const struct findings *);
/* Of the last server, as are the next two. */
void	exhibit_place(struct exhibit *, const struct findings *);
void	exhibit_dialogue(struct exhibit *, const struct findings *);
void	exhibit_login(struct exhibit *, const struct findings *);
void	exhibit_recipients(struct exhibit *, const struct findings *);
/* The verdict, and the advice. */
void	exhibit_end(struct exhibit *, const struct findings *);

#endif
