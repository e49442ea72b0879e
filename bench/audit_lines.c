/* SPDX-License-Identifier: MIT */
/*
 * audit_lines.c - audit-lines N [HOSTS]: N Sysmon events as JSON lines, for bench/audit
 *
 * Hosts in turn; on each a boot, then ordinary processes that come and go, and a new boot every
 * 50,000 events. The shape and length of a line are those of a real one without its message.
 */
#include <stdio.h>
#include <stdlib.h>

struct host {
	unsigned long second; /* since 2020-01-01 */
	unsigned events, boot, pid;
};

static void put_time(unsigned long second)
{
	printf("2020-%02lu-%02lu %02lu:%02lu:%02lu.%03u", 1 + second / 2419200 % 12,
	       1 + second / 86400 % 28, second / 3600 % 24, second / 60 % 60, second % 60, 123u);
}

static void put_event(unsigned number, const struct host *h, unsigned pid, unsigned ppid,
		      const char *image, const char *parent)
{
	printf("{\"Version\":5,\"Product\":\"Microsoft Windows Operating System\",\"EventID\":1,"
	       "\"Channel\":\"Microsoft-Windows-Sysmon/Operational\",\"Hostname\":\"HOST%u\","
	       "\"SourceName\":\"Microsoft-Windows-Sysmon\",\"Task\":1,\"RecordNumber\":%u,"
	       "\"UtcTime\":\"",
	       number, h->events);
	put_time(h->second);
	printf("\",\"ProcessGuid\":\"{%08x-%04x-0000-0000-%012u}\",\"ProcessId\":\"%u\","
	       "\"Image\":\"C:\\\\Windows\\\\System32\\\\%s\",\"FileVersion\":\"10.0.18362.1\","
	       "\"OriginalFileName\":\"%s\",\"CommandLine\":\"C:\\\\Windows\\\\System32\\\\%s -k "
	       "LocalServiceNetworkRestricted -p -s service\",\"User\":\"NT AUTHORITY\\\\SYSTEM\","
	       "\"TerminalSessionId\":\"0\",\"IntegrityLevel\":\"System\",\"Hashes\":\"SHA256="
	       "DD191A5B23DF92E12A8852291F9FB5ED594B76A28A5A464418442584AFD1E048\","
	       "\"ParentProcessGuid\":\"{%08x-%04x-0000-0000-%012u}\",\"ParentProcessId\":\"%u\","
	       "\"ParentImage\":\"%s%s\"}\n",
	       number, h->boot, h->events, pid, image, image, image, number, h->boot, ppid, ppid,
	       parent[0] == 'S' ? "" : "C:\\\\Windows\\\\System32\\\\", parent);
}

static void next_event(unsigned number, struct host *h)
{
	unsigned at = h->events % 50000;

	if (at == 0) {
		h->boot++;
		h->second += 3600;
		h->pid = 1000;
	}
	switch (at) {
	case 0:
		put_event(number, h, 404, 4, "smss.exe", "System");
		break;
	case 1:
		put_event(number, h, 500, 404, "smss.exe", "smss.exe");
		break;
	case 2:
		put_event(number, h, 512, 500, "csrss.exe", "smss.exe");
		break;
	case 3:
		put_event(number, h, 584, 500, "wininit.exe", "smss.exe");
		break;
	default:
		h->pid = h->pid < 60000 ? h->pid + 4 : 1000;
		put_event(number, h, h->pid, 684, "svchost.exe", "services.exe");
		break;
	}
	h->events++;
	h->second += at % 16 == 15;
}

int main(int argc, char **argv)
{
	unsigned long n = argc > 1 ? strtoul(argv[1], NULL, 10) : 1000;
	unsigned hosts = argc > 2 ? (unsigned)strtoul(argv[2], NULL, 10) : 20;
	struct host *all = calloc(hosts ? hosts : 1, sizeof(*all));

	if (!all || !hosts)
		return 2;
	for (unsigned long i = 0; i < n; i++)
		next_event((unsigned)(i % hosts), &all[i % hosts]);
	free(all);
	return fflush(stdout) != 0 || ferror(stdout);
}
