#include "usage.h"

const char *
usage_text(void)
{
	return "usage: sendoff [options] [recipient ...] < message\n"
	    "  -t                 recipients from To, Cc and Bcc as well\n"
	    "  -i                 a lone dot does not end the message\n"
	    "  -f ADDRESS         envelope sender; '' is the null sender\n"
	    "  -F NAME            full name for a From that is added\n"
	    "  -N LIST -R WHAT -V ID  delivery notifications (RFC 3461)\n"
	    "  -v                 transcript on standard error; -vv more\n"
	    "  -4 -6              one family of addresses\n"
	    "  --account NAME     the account to use\n"
	    "  --config FILE      this configuration (also -C FILE)\n"
	    "  --server URL       smtps://host, smtp://host, ...\n"
	    "  --require-tls      TLS on the whole way (RFC 8689)\n"
	    "  --tls-required=no  delivery matters more than TLS (RFC 8689)\n"
	    "  --hold-for TIME    the server holds it so long (15m, 2h, 3d)\n"
	    "  --hold-until TIME  or until then (\"2026-12-01 08:00\")\n"
	    "  --deliver-by TIME  in time, or the sender is told\n"
	    "  --priority N       from -9 to 9, higher is more urgent\n"
	    "  --keep             keep the message when it cannot be sent\n"
	    "  --json             the outcome as JSON on standard output\n"
	    "  --log-level LEVEL  error, warning, info, debug\n"
	    "  --probe[=URL]      look at a server, step by step; =rcpt asks\n"
	    "                     it about recipients, too; with --json\n"
	    "  --check            read the configuration and print it\n"
	    "  --import [KIND:]FILE  another program's configuration as ours\n"
	    "  --forget ACCOUNT   accept what its server offers from now on\n"
	    "  --version --help\n"
	    "Every setting of sendoff.conf(5) that is no secret has a long "
	    "option of its name.\n";
}
