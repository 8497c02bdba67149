#!/usr/bin/python3 -B
"""Programs of Debian 12 that call sendmail, real ones, into real Postfix.

README.md has the table of what each passes and what is looked at."""
import email
import email.policy
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [HERE + "/callers", os.path.dirname(HERE)]
from interop import Lab                                     # noqa: E402
from manual.page import example                             # noqa: E402
from stage import Stage                               # noqa: E402

ME = "alerts@example.test"
PACKAGES = {                    # by what the names of their cases begin with
    "cron": "cron", "anacron": "anacron", "at": "at", "bsd-mailx": "bsd-mailx",
    "s-nail": "s-nail", "mailutils": "mailutils", "mutt": "mutt",
    "git send-email": "git-email", "emacs message.el": "emacs-nox",
    "procmail": "procmail", "maildrop": "maildrop", "vacation": "vacation",
    "nmh": "nmh", "alpine": "alpine", "swaks --pipe": "swaks",
    "php mail()": "php8.2-cli", "PHPMailer": "libphp-phpmailer",
    "PEAR Mail": "php-mail", "Symfony Mailer": "php-symfony-mailer",
    "nodemailer": "node-nodemailer", "Email::Sender": "libemail-sender-perl",
    "Email::Stuffer": "libemail-stuffer-perl", "MIME::Lite":
    "libmime-lite-perl", "MIME::Entity": "libmime-tools-perl",
    "Ruby mail": "ruby-mail", "sudo's mailer": "sudo", "logwatch": "logwatch",
    "fail2ban": "fail2ban"}
lab = Lab()
stage = Stage(lab)


def case(name, complaints):
    lab.case(name, *complaints)
    caller = max((key for key in PACKAGES if name.startswith(key)), key=len)
    lab.callers[caller, stage.version(PACKAGES[caller])] += not complaints


def header_from(message):
    return str(message["From"])


def look(name, mail, address, wanted, copies):
    """What arrived there, against what is wanted of it: complaints."""
    found = mail.wait(address, copies)
    if len(found) != copies:
        return [f"{name}: {address} has it {len(found)} times"]
    facts, octets = found[0]
    message = email.message_from_bytes(octets, policy=email.policy.default)
    body = octets.partition(b"\r\n\r\n")[2]
    out = []
    if facts["sender"] != wanted["sender"]:
        out.append(f"the sender is {facts['sender']!r}")
    if wanted["from"] not in header_from(message):
        out.append(f"From is {header_from(message)!r}")
    if message["Bcc"] is not None or message["Resent-Bcc"] is not None:
        out.append("there is a Bcc")
    if message["Date"] is None or message["Message-ID"] is None:
        out.append("Date or Message-ID is missing")
    if wanted["body"] is not None and wanted["body"] not in body:
        out.append(f"the body is {body!r}")
    return out


def sends(name, script, *, user="root", sender=ME, from_=ME, body=b"b\r\n",
          good=1, local=None, silent=True, copies=1, before=None):
    """{0}, {1} in the script are recipients; a local one is an alias."""
    mail = lab.mail(good=good)
    stage.forget()
    stage.aliases(**({local: mail.to[0]} if local else {}))
    if before:
        before(mail)
    run = stage.play(script.format(*mail.to), user)
    wanted = {"sender": sender, "from": from_, "body": body}
    told = run.stdout.decode(errors="replace") + \
        run.stderr.decode(errors="replace")
    complaints = []
    if run.returncode != 0:
        complaints.append(f"status {run.returncode}: {told}")
    elif silent and told:
        complaints.append(f"it is not silent: {told}")
    for address in mail.to:
        complaints += look(name, mail, address, wanted, copies)
    if complaints and told:
        complaints.append(told)
    complaints += ["it is kept: " + k[:300].decode(errors="replace")
                   for k in stage.kept()]
    case(name, complaints)


def fails(name, script, *, user="root", status=None, words=(), log=(),
          local=None, kept=1, before=None):
    """The recipient is refused, and the caller says so as it does."""
    address = "refused@example.test"
    stage.forget()
    stage.aliases(**({local: address} if local else {}))
    if before:
        before(None)
    run = stage.play(script.format(address), user)
    told = run.stdout.decode(errors="replace") + \
        run.stderr.decode(errors="replace")
    complaints = []
    if status is not None and (run.returncode != 0) != (status != 0):
        complaints.append(f"status {run.returncode}: {told}")
    complaints += [f"no {w!r} in {told!r}" for w in words if w not in told]
    complaints += [f"no {w!r} in the log: {stage.lines}" for w in log
                   if not any(w in line for line in stage.lines)]
    if len(stage.kept()) != kept:
        complaints.append(f"{len(stage.kept())} are kept: {told}")
    case(name + ": a refusal", complaints)


# --- schedulers --------------------------------------------------------------
# The job of cron runs at its start; cron and all it started end with the
# script.
CRON = "rm -f /run/crond.reboot /var/run/crond.reboot; cron -f & sleep 3"


def crontab(*lines):
    return lambda mail: stage.write("etc/cron.d/lab", "".join(
        line.format(*(mail.to if mail else ["refused@example.test"])) + "\n"
        for line in lines))


JOB = "@reboot root printf 'b\\n.\\n..x\\ntail'"
BODY = b"b\r\n.\r\n..x\r\ntail\r\n"
sends("cron", CRON, from_="Cron Daemon <" + ME, body=BODY, local="root",
      before=crontab(JOB))
sends("cron with MAILTO", CRON, from_="Cron Daemon <" + ME, body=BODY, good=2,
      before=crontab("MAILTO={0},{1}", JOB))
sends("cron for a user", CRON, from_="Cron Daemon <" + ME, local="alice",
      before=crontab("@reboot alice echo b"))
fails("cron", CRON, log=["but got status 0x0043"],
      before=crontab("MAILTO={0}", JOB))
stage.write("etc/cron.d/lab", "")


def documented(heading, number=1, **instead):
    """As sendmail(8) has it, but for an address and the hour of a job."""
    text = example("sendmail.8", heading, number)
    for old, new in instead.values():
        assert old in text, (heading, old, text)
        text = text.replace(old, new)
    return text.strip()


def documented_crontab(mail):
    stage.write("usr/local/bin/backup", "#!/bin/sh\necho b\n", 0o755)
    stage.write("tmp/tab", documented("Cron", to=("admin@example.org",
                mail.to[0]), when=("15 3 * * *", "@reboot")) + "\n")


sends("cron, as documented", "crontab -u alice /tmp/tab && " + CRON +
      "; crontab -u alice -r", from_="Cron Daemon <" + ME,
      before=documented_crontab)

stage.write("etc/anacrontab.lab", "1 0 lab echo b\n")
ANACRON = "mkdir -p /tmp/ana && rm -f /tmp/ana/* && " \
    "anacron -d -f -n -t /etc/anacrontab.lab -S /tmp/ana 2>/dev/null"
sends("anacron", ANACRON, from_="Anacron <" + ME, local="root")
fails("anacron", ANACRON, local="root", log=["mailer"])

stage.write("usr/local/bin/at-job", "#!/bin/sh\nmkdir -p /var/run\n"
            "atd -f & sleep 1\nsetpriv --reuid alice --regid alice "
            "--init-groups env HOME=/home/alice USER=alice LOGNAME=alice "
            "sh -c 'cd; echo printf b | at now' 2>/dev/null\nsleep 4\n", 0o755)
sends("at", "/usr/local/bin/at-job", local="alice")
fails("at", "/usr/local/bin/at-job", local="alice")

# --- mail programs -----------------------------------------------------------
sends("bsd-mailx", "echo b | bsd-mailx -s s -b {1} {0}", user="alice", good=2)
fails("bsd-mailx", "echo b | bsd-mailx -s s {0}; test -f dead.letter",
      user="alice", words=["server said 550"])
sends("s-nail", "echo b | s-nail -:/ -s s -b {1} {0}", user="alice", good=2)
fails("s-nail", "echo b | s-nail -:/ -s s {0}", user="alice", status=4,
      words=["server said 550"])
sends("mailutils", "echo b | mail.mailutils -s s {0}", user="alice",
      from_=ME)
fails("mailutils", "echo b | mail.mailutils -s s {0}", user="alice", status=1)
sends("mutt", "echo b | mutt -s s -b {1} -- {0}", user="alice", good=2,
      from_=ME)
sends("mutt with an envelope and DSN",
      "echo b | mutt -e 'set use_envelope_from envelope_from_address="
      "me@example.test from=me@example.test dsn_notify=failure,delay "
      "dsn_return=hdrs' -s s -- {0}", user="alice", sender="me@example.test",
      from_="me@example.test")
fails("mutt", "echo b | mutt -s s -- {0}", user="alice", status=1,
      words=["server said 550"])
GIT = "rm -rf r && git init -q r && cd r && echo b > f && git add f && " \
    "git config user.name A && git config user.email a@example.test && " \
    "git commit -qm s && git send-email --quiet --confirm=never " \
    "--from='A <a@example.test>' --sendmail-cmd=/usr/sbin/sendmail " \
    "--to {0} -1"
sends("git send-email", GIT, user="alice", from_="A <a@example.test>",
      body=b"+b\r\n", silent=False)
sends("git send-email --envelope-sender", GIT.replace(
    "--to", "--envelope-sender=auto --to"), user="alice",
    sender="a@example.test", from_="A <a@example.test>", body=b"+b\r\n",
    silent=False)
sends("git send-email by smtpserver, three", GIT.replace(
    "git send-email", "echo c > f && git commit -qam t && echo d > f && "
    "git commit -qam u && git -c sendemail.smtpserver=/usr/sbin/sendmail "
    "send-email").replace("--sendmail-cmd=/usr/sbin/sendmail ", "").replace(
    "-1", "--root HEAD"), user="alice", from_="A <a@example.test>", body=None,
    silent=False, copies=3)
fails("git send-email", GIT, user="alice", status=1, words=["server said 550"])
sends("git send-email, as documented", "git config --global user.name A && "
      "git config --global user.email a@example.test && " +
      documented("git") + " && rm -rf r && git init -q r && cd r && for i in "
      "1 2; do echo $i > f; git add f; git commit -qm $i; done && " +
      documented("git", 2, to=("bob@example.net", "{0}")) +
      "; s=$?; rm ~/.gitconfig; exit $s", user="alice",
      from_="A <a@example.test>", body=b"+2\r\n", silent=False)
stage.write("home/alice/message.el", """
(setq user-mail-address "alice@example.test" user-full-name "Alice"
      sendmail-program "/usr/sbin/sendmail" mail-interactive t
      message-send-mail-function 'message-send-mail-with-sendmail
      message-sendmail-envelope-from 'header inhibit-message t
      message-required-news-headers nil make-backup-files nil)
(require 'message)
(message-mail (getenv "TO") "s" '(("Bcc" . "")))
(goto-char (point-max)) (insert "b\\n")
(message-send)
""")
EMACS = "TO={0} emacs --batch -l message.el"
sends("emacs message.el", EMACS, user="alice", sender="alice@example.test",
      from_="Alice <alice@example.test>", silent=False)
fails("emacs message.el", EMACS, user="alice", status=1)
PROCMAIL = "printf ':0\\n! %s\\n' {0} > rc && printf " \
    "'From x@y Tue Nov 24 10:00:00 2026\\nReturn-Path: <x@y>\\n" \
    "From: X <x@example.test>\\n\\n.\\nb\\n' | procmail ./rc; sleep 1"
sends("procmail", PROCMAIL, user="alice", from_="X <x@example.test>",
      body=b".\r\nb\r\n")
fails("procmail", PROCMAIL, user="alice")
MAILDROP = "printf 'to \"!%s\"\\n' {0} > mf && chmod 600 mf && printf " \
    "'From: X <x@example.test>\\n\\nb\\n' | maildrop mf"
sends("maildrop", MAILDROP, user="alice", sender="",
      from_="X <x@example.test>")
VACATION = "rm -f .vacation*; echo '{0}' > .forward; printf " \
    "'From: alice@example.test\\nSubject: away\\n\\nb\\n' > .vacation.msg; " \
    "vacation -i; printf 'From {0} Tue Nov 24 10:00:00 2026\\nFrom: {0}\\n" \
    "To: alice@example.test\\nSubject: q\\n\\nq\\n' | " \
    "vacation -a alice alice; sleep 1; rm .forward"
sends("vacation", VACATION, user="alice", from_="alice@example.test")
NMH = "mkdir -p Mail; echo 'Path: Mail' > .mh_profile; printf " \
    "'mts: sendmail/%s\\nsendmail: /usr/sbin/sendmail\\n' {1} > mts; " \
    "printf 'From: alice@example.test\\nTo: {0}\\nSubject: s\\n\\nb\\n' > d; " \
    "MHMTSCONF=$HOME/mts /usr/bin/mh/send $HOME/d"
for kind in ("smtp", "pipe"):
    sends("nmh, " + kind, NMH.replace("{1}", kind), user="alice",
          sender="alice@example.test" if kind == "smtp" else ME,
          from_="alice@example.test")
fails("nmh, smtp", NMH.replace("{1}", "smtp"), user="alice", status=1,
      words=["550"], kept=0)
# It has no batch mode: ^X sends, y agrees, and it ends with the message.
stage.write("home/alice/.pinerc", "personal-name=Alice\n"
            "user-domain=example.test\nsendmail-path=\nsmtp-server=\n"
            "default-fcc=\"\"\nlast-time-prune-questioned=126.11\n"
            "last-version-used=6.26\n", 0o600, 1000)
ALPINE = "export TERM=xterm; (sleep 2; printf '\\030'; sleep 1; " \
    "printf y; sleep 3) | timeout 20 script -qec 'alpine {0}' /dev/null " \
    "> /dev/null"
sends("alpine", ALPINE, user="alice", sender="alice@example.test",
      from_="Alice <alice@example.test>", body=b"")
SWAKS = "swaks --pipe '/usr/sbin/sendmail -bs' --from alice@example.test " \
    "--to {0} --body b --silent 3"
sends("swaks --pipe", SWAKS, user="alice", sender="alice@example.test",
      from_="alice@example.test", body=b"b\r\n")
fails("swaks --pipe", SWAKS.replace("--silent 3", ""), user="alice", status=24,
      words=["550 5.1.1"], kept=0)

# --- languages ---------------------------------------------------------------
PHP = """php -r 'exit(mail("{0}", "s", "b\\n", "Bcc: {1}") ? 0 : 1);'"""
sends("php mail()", PHP, user="www-data", good=2)
sends("php mail() with -f", PHP.replace('"Bcc: {1}"', '"", "-fme@example.test"'),
      user="www-data", sender="me@example.test")
fails("php mail()", PHP.replace('"Bcc: {1}"', '""'), user="www-data", status=1)
INI = "etc/php/8.2/cli/conf.d/99-lab.ini"
stage.write(INI, documented("PHP") + "\n")
sends("php mail(), as documented", """php -r 'exit(ini_get("sendmail_path") ===
"/usr/sbin/sendmail -t -i" && mail("{0}", "s", "b\n.\nc\n") ? 0 : 1);'""",
      user="www-data", body=b"b\r\n.\r\nc\r\n")
os.unlink(f"{stage.tree}/{INI}")
PHPMAILER = """php -r '
require "/usr/share/php/libphp-phpmailer/autoload.php";
$m = new PHPMailer\\PHPMailer\\PHPMailer(true); $m->isSendmail();
$m->setFrom("me@example.test", "Me"); $m->addAddress("{0}");
$m->addBCC("{1}"); $m->Subject = "s"; $m->Body = "b";
$m->send();'"""
sends("PHPMailer", PHPMAILER, user="www-data", sender="me@example.test",
      from_="Me <me@example.test>", good=2)
fails("PHPMailer", PHPMAILER.replace('$m->addBCC("{1}");', ""),
      user="www-data", status=255)
PEAR = """php -d error_reporting=0 -r 'require "Mail.php";
$m = Mail::factory("sendmail");
$r = $m->send("{0}", ["From" => "me@example.test", "To" => "{0}",
"Subject" => "s"], "b\\n"); exit($r === true ? 0 : 1);'"""
sends("PEAR Mail", PEAR, user="www-data", sender="me@example.test",
      from_="me@example.test")
fails("PEAR Mail", PEAR, user="www-data", status=1)
SYMFONY = """php -r '
require "/usr/share/php/Symfony/Component/Mailer/autoload.php";
use Symfony\\Component\\Mailer\\{{Mailer, Transport}};
use Symfony\\Component\\Mime\\Email;
(new Mailer(Transport::fromDsn("sendmail://default{1}")))->send((new Email())
->from("me@example.test")->to("{0}")->subject("s")->text(".\\nb\\n"));'"""
for mode, query in (("-bs", ""),
                    ("-t", "?command=%2Fusr%2Fsbin%2Fsendmail%20-t"),
                    ("-t -i", "?command=%2Fusr%2Fsbin%2Fsendmail%20-t%20-i")):
    sends("Symfony Mailer, " + mode, SYMFONY.replace("{1}", query),
          user="www-data", sender="me@example.test", from_="me@example.test",
          body=b".\r\nb\r\n")
fails("Symfony Mailer, -bs", SYMFONY.replace("{1}", ""), user="www-data",
      status=255, words=["550"], kept=0)
NODE = """NODE_PATH=/usr/share/nodejs node -e '
require("nodemailer").createTransport({{sendmail: true}}).sendMail(
{{from: "Me <me@example.test>", to: "{0}", bcc: "{1}", subject: "s",
text: ".\\nb\\n"}}, e => {{ if (e) {{ console.error(e.message);
process.exit(1); }} }})'"""
sends("nodemailer", NODE, user="www-data", sender="me@example.test",
      from_="Me <me@example.test>", body=b".\r\nb\r\n", good=2)
fails("nodemailer", NODE.replace('bcc: "{1}",', ""), user="www-data",
      status=1, words=["code 67"])
PERL = """perl -MEmail::Sender::Simple=sendmail -MEmail::Simple
-MEmail::Sender::Transport::Sendmail -e '
sendmail(Email::Simple->create(header => [From => "me\\@example.test",
To => "{0}", Subject => "s"], body => ".\\nb\\n"), {{transport =>
Email::Sender::Transport::Sendmail->new}})'""".replace("\n", " ")
PERL = PERL.replace("{0}", "'{0}'").replace('"\'{0}\'"', "q({0})")
sends("Email::Sender", PERL, user="www-data", sender="me@example.test",
      from_="me@example.test", body=b".\r\nb\r\n")
fails("Email::Sender", PERL, user="www-data", status=255)
STUFFER = """perl -MEmail::Stuffer -e '
Email::Stuffer->from(q(me@example.test))->to(q({0}))->bcc(q(hidden@example.test))
->subject(q(s))->text_body(qq(b\\n))->send_or_die'""".replace("\n", " ")
sends("Email::Stuffer", STUFFER, user="www-data", sender="me@example.test",
      from_="me@example.test")
LITE = """perl -MMIME::Lite -e '
MIME::Lite->new(From => q(me@example.test), To => q({0}), Bcc => q({1}),
Subject => q(s), Data => qq(.\\nb\\n))->send or exit 1'""".replace("\n", " ")
sends("MIME::Lite", LITE, user="www-data", sender="me@example.test",
      from_="me@example.test", body=b".\r\nb\r\n", good=2)
fails("MIME::Lite", LITE.replace("Bcc => q({1}),", ""), user="www-data",
      status=1)
ENTITY = """perl -MMIME::Entity -e '
MIME::Entity->build(From => q(me@example.test), To => q({0}), Subject =>
q(s), Data => [qq(b\\n)])->send(q(sendmail)) or exit 1'""".replace("\n", " ")
sends("MIME::Entity", ENTITY, user="www-data", from_="me@example.test")
RUBY = """ruby -e 'require "mail"
Mail.deliver {{ delivery_method :sendmail; from "me@example.test"
to "{0}"; bcc "{1}"; subject "s"; body "b\\n" }}'"""
sends("Ruby mail", RUBY, user="www-data", sender="me@example.test",
      from_="me@example.test", good=2)
fails("Ruby mail", RUBY.replace('bcc "{1}";', ""), user="www-data")

# --- the system --------------------------------------------------------------
stage.write("etc/sudoers.d/lab", "Defaults mail_always\n"
            "alice ALL=(ALL) NOPASSWD: ALL\n", 0o440)
sends("sudo's mailer", "sudo true; sleep 2", user="alice", local="root",
      body=b"COMMAND=/usr/bin/true", copies=2)
fails("sudo's mailer", "sudo true; sleep 2", user="alice", local="root",
      kept=2)
sends("logwatch", "logwatch --output mail --mailto {0} --range all "
      "--service zz-disk_space --detail high", body=None,
      from_=ME)
FAIL2BAN = """python3 - {0} <<'END'
import configparser, subprocess, sys
c = configparser.RawConfigParser()
c.read(["/etc/fail2ban/action.d/sendmail-common.conf",
        "/etc/fail2ban/action.d/sendmail.conf"])
get = lambda s, k: c.get(s, k)
text = get("Definition", "actionban")
values = dict(c.items("Init"))
values.update(name="sshd", ip="192.0.2.1", failures="3", dest=sys.argv[1],
              sender="fail2ban", sendername="Fail2Ban", fq_hostname="h",
              mailcmd=get("DEFAULT", "mailcmd") if c.has_option("DEFAULT",
              "mailcmd") else values.get("mailcmd", ""))
for _ in range(3):
    for key, value in values.items():
        text = text.replace("<" + key + ">", value)
text = text.replace("%%", "%")
sys.exit(subprocess.run(["sh", "-c", text]).returncode)
END"""
sends("fail2ban", FAIL2BAN, from_="Fail2Ban <" + ME, body=b"192.0.2.1")
fails("fail2ban", FAIL2BAN, status=1)
lab.done()
