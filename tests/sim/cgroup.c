/* SPDX-License-Identifier: MIT */
/*
 * cgroup.c - the simulated kernel's control groups: who is in which, the end of a whole group
 */
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "inner.h"

void cgroup_put(struct process *p, struct node *dir)
{
	p->cgroup = dir;
	p->p.cgroup[0] = 0;
	for (struct node *n = dir; n && n->parent && n != n->parent; n = n->parent) {
		char joined[sizeof(p->p.cgroup)];

		for (unsigned i = 0; i < n->parent->names.count; i++)
			if (n->parent->names.at[i].node == n) {
				snprintf(joined, sizeof(joined), "/%.60s%.60s",
					 n->parent->names.at[i].name, p->p.cgroup);
				memcpy(p->p.cgroup, joined, sizeof(joined));
			}
	}
}

static bool is_in(const struct process *p, const struct node *dir)
{
	const struct node *n = p->cgroup;

	while (n && n != dir && n->parent != n)
		n = n->parent;
	return n == dir && p->p.pid != 1;
}

bool cgroup_populated(const struct node *dir)
{
	for (unsigned i = 0; i < sim_processes(); i++)
		if (!process_at(i)->p.dead && is_in(process_at(i), dir))
			return true;
	return false;
}

bool cgroup_frozen(const struct node *dir)
{
	for (unsigned i = 0; i < dir->names.count; i++)
		if (!strcmp(dir->names.at[i].name, "cgroup.freeze"))
			return dir->names.at[i].node->now.size &&
			       dir->names.at[i].node->now.at[0] == '1';
	return false;
}

void cgroup_kill(const struct node *dir)
{
	for (unsigned i = 0; i < sim_processes(); i++)
		if (is_in(process_at(i), dir))
			deliver(process_at(i), SIGKILL);
}

size_t cgroup_list(const struct node *dir, char *to, size_t n)
{
	size_t used = 0;

	for (unsigned i = 0; i < sim_processes() && used + 16 < n; i++)
		if (!process_at(i)->p.dead && process_at(i)->cgroup == dir)
			used += (size_t)snprintf(to + used, n - used, "%d\n", process_at(i)->p.pid);
	return used;
}

void cgroup_move(const struct node *dir, int pid)
{
	struct process *p = process_by(pid ? pid : process_now()->p.pid);

	if (p)
		cgroup_put(p, (struct node *)dir);
}
