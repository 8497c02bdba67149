# sendoff: README.md says how to begin, HACKING.md how the house is built.
#
# SAN=1 builds with AddressSanitizer and UBSan into a folder of its own, COV=1
# with the counters of gcov.

prefix	= /usr/local
DESTDIR	=
sysconfdir = /etc
datadir	= $(prefix)/share
mandir	= $(datadir)/man
docdir	= $(datadir)/doc/sendoff
unitdir	= $(prefix)/lib/systemd/system
# Below a home systemd has another place for a user's units.
at_home = $(and $(HOME),$(filter $(HOME)/%,$(prefix)))
userunitdir = $(if $(at_home),$(datadir),$(prefix)/lib)/systemd/user
bashdir	= $(datadir)/bash-completion/completions
zshdir	= $(datadir)/zsh/site-functions
CC	= gcc
B	= build
PACKAGES = gnutls libgsasl libidn2

WARN	= -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
	  -Wmissing-prototypes -Wformat=2 -Wvla -Wimplicit-fallthrough \
	  -Wnull-dereference -Wwrite-strings -Wsign-conversion -Wcast-qual \
	  -Wold-style-definition -Walloca -Wundef \
	  -Werror=format-security -Werror=implicit -Werror=int-conversion \
	  -Werror=incompatible-pointer-types
HARDEN	= -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong \
	  -fstack-clash-protection $(BRANCHES) \
	  -fno-delete-null-pointer-checks \
	  -fno-strict-overflow -fno-strict-aliasing -fPIE
HARDEN_GCC = -ftrivial-auto-var-init=zero -fzero-call-used-regs=used-gpr \
	  -Wtrampolines -Wbidi-chars=any -Wcast-align=strict \
	  -Wduplicated-cond -Wduplicated-branches
HARDEN_LD = -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack \
	  -Wl,-z,nodlopen -Wl,-z,separate-code -Wl,--as-needed \
	  -Wl,--no-copy-dt-needed-entries
# Not := for "make deps demo" is begun without a compiler.
BRANCHES = $(if $(filter x86_64%,$(shell $(CC) -dumpmachine)), \
	  -fcf-protection=full)
LDFLAGS	=
OPTIMISE = -O2 -g
ALSO	= SCMP_SYS(exit_group)	# in the sandbox, for tools in the process
SEES	= NULL

ifneq ($(findstring clang,$(CC)),)
HARDEN_GCC =
B	= build/clang
endif
ifdef SAN
B	= build/san
OPTIMISE = -O1 -g -fsanitize=address,undefined -fno-sanitize-recover=all \
	  -fno-omit-frame-pointer
HARDEN	= -fno-strict-aliasing -fPIE
HARDEN_GCC =
HARDEN_LD = -pie
ALSO	= SCMP_SYS(clone), SCMP_SYS(prctl), SCMP_SYS(ptrace)
SEES	= "/proc"
endif
ifdef COV
B	= build/cov
OPTIMISE = -O0 -g --coverage -Wno-maybe-uninitialized \
	  -std=gnu11 -Ulinux -Uunix	# so that exec() lets the counters out
HARDEN	= -fno-strict-aliasing -fPIE
HARDEN_GCC =
HARDEN_LD = -pie
endif

VERSION	= 0.1
CPPFLAGS = -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -I. \
	  -DVERSION='"$(VERSION)"' -DSYSCONFDIR='"$(sysconfdir)"' \
	  -I$(B) -DSANDBOX_SEES='$(SEES)'
CFLAGS	= $(OPTIMISE)
ALLFLAGS = -std=c11 $(WARN) $(HARDEN) $(HARDEN_GCC) \
	  $(shell pkg-config --cflags $(PACKAGES)) $(CPPFLAGS) $(CFLAGS)
LIBS	= $(shell pkg-config --libs $(PACKAGES)) -lresolv

ROOMS	= $(filter-out sendmail.c,$(wildcard *.c))
OBJ	= $(ROOMS:%.c=$(B)/%.o)
UNITS	= $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/*.c))
SUBMITD	= $(patsubst %.c,$(B)/%.o,$(wildcard tests/servers/submitd*.c))

COMPLETE = $(B)/completion/sendoff $(B)/completion/_sendoff

ifeq ($(B),build)
all: sendmail sendoff $(B)/sendmail $(B)/sendoff $(COMPLETE)
else
all: $(B)/sendmail $(B)/sendoff $(COMPLETE)
endif

sendmail sendoff: %: $(B)/%
	cp -P $< $@.new && mv -f $@.new $@

$(B)/sendmail: $(B)/sendmail.o $(OBJ)
	$(CC) $(ALLFLAGS) $(HARDEN_LD) $(LDFLAGS) -o $@ $^ $(LIBS)

# The sandbox and _exit() let the counters out: of this build alone.
ifdef COV
COUNTS	= $(B)/tests/coverage/counts.o
$(COUNTS): CPPFLAGS += -DCOUNTED='"$(CURDIR)/$(B)"'
$(COUNTS): OPTIMISE = -O0 -g
$(B)/sendmail $(UNITS): $(COUNTS)
$(B)/sendmail $(UNITS): HARDEN_LD += -Wl,--wrap=_exit,--wrap=sandbox_enter
endif

# Changes when the place of the configuration does.
$(B)/sysconfdir: ALWAYS
	@mkdir -p $(@D)
	@echo '$(sysconfdir)' | cmp -s - $@ || echo '$(sysconfdir)' > $@

$(B)/resolve.o $(B)/privilege.o: $(B)/sysconfdir

# ARCHITECTURE: the name that libseccomp has for it, if it is another's.
$(B)/calls: filter/calls.c Makefile
	@mkdir -p $(@D)
	$(CC) -std=c11 $(WARN) -D_DEFAULT_SOURCE -D_GNU_SOURCE \
	    -DFILTER_ALSO='$(ALSO)' -O1 -o $@ $< -lseccomp

$(B)/filter.h: $(B)/calls
	$< $(ARCHITECTURE) > $@.new && mv -f $@.new $@

$(B)/sandbox.o: $(B)/filter.h

$(B)/sendoff: $(B)/sendmail
	ln -sf sendmail $@

$(B)/%.o: %.c Makefile
	@mkdir -p $(@D)
	$(CC) $(ALLFLAGS) -MMD -MP -c -o $@ $<

$(B)/unit/%: $(B)/tests/unit/%.o $(OBJ)
	@mkdir -p $(@D)
	$(CC) $(ALLFLAGS) $(HARDEN_LD) -o $@ $^ $(LIBS) -lcmocka

$(B)/submitd: $(SUBMITD)
	$(CC) $(ALLFLAGS) $(HARDEN_LD) -o $@ $^ $(LIBS)

$(B)/ca: $(B)/tests/servers/ca.o
	$(CC) $(ALLFLAGS) $(HARDEN_LD) -o $@ $^ $(LIBS)

$(B)/convert: $(B)/tests/mime/convert_tool.o $(OBJ)
	$(CC) $(ALLFLAGS) $(HARDEN_LD) -o $@ $^ $(LIBS)

$(B)/devlog.so $(B)/scarce.so: $(B)/%.so: tests/servers/%.c
	@mkdir -p $(@D)
	$(CC) -std=c11 $(WARN) $(CPPFLAGS) -O2 -fPIC -shared -o $@ $<

$(B)/readable.so: tests/secrets/readable.c
	@mkdir -p $(@D)
	$(CC) -std=c11 $(WARN) $(CPPFLAGS) -O2 -fPIC -shared -o $@ $<

# What the tables say, for shells: bash, zsh.
$(B)/completion/_sendoff: SHELL_OF = zsh
$(COMPLETE): contrib/completion/write longs.c settings.c usage.c
	@mkdir -p $(@D)
	perl $< $(or $(SHELL_OF),bash) > $@.new && mv -f $@.new $@

# --- setting up ------------------------------------------------------------

DEPS	= gcc make pkg-config libc6-dev libgnutls28-dev libgsasl-dev libidn2-dev \
	  libseccomp-dev \
	  libcmocka-dev clang-14 clang libclang-rt-14-dev llvm-14 perl python3 mandoc \
	  groff-base \
	  devscripts valgrind strace cppcheck clang-tidy clang-tools binutils \
	  universal-ctags ca-certificates locales \
	  openssl util-linux procps xz-utils debootstrap systemd iproute2 \
	  git

deps:
	@sh tests/deps $(DEPS)

demo: all $(B)/submitd $(B)/ca
	@B=$(B) sh tests/demo

# --- testing ---------------------------------------------------------------

PROVE	= prove -j2
APART	= tests/apart

units: $(UNITS)

# --- fuzzing: tests/fuzz/README.md -------------------------------------------
#
# The rooms are an archive: what a target brings itself (the clock, the
# network) is taken in place of the room's.

FUZZ	= $(patsubst tests/fuzz/fuzz_%.c,%,$(wildcard tests/fuzz/fuzz_*.c))
FUZZ_SECONDS = 60
REPLAYS	= $(FUZZ:%=$(B)/fuzz/%)
F	= build/libfuzzer
V	= build/coverage
FUZZ_FLAGS = -std=c11 -g -O1 -fno-omit-frame-pointer \
	  -fsanitize=address,undefined -fno-sanitize-recover=all \
	  $(CPPFLAGS) $(shell pkg-config --cflags $(PACKAGES))

# Whole sessions: against the server of tests/fuzz/server.c.
FUZZ_SERVED = session serve resend
$(FUZZ_SERVED:%=$(B)/fuzz/%): $(B)/tests/fuzz/server.o
$(FUZZ_SERVED:%=$(F)/%): $(F)/tests/fuzz/server.o
$(FUZZ_SERVED:%=$(V)/%): $(V)/tests/fuzz/server.o
$(B)/fuzz/serve $(F)/serve $(V)/serve: WRAP = -Wl,--wrap=read,--wrap=write
$(B)/fuzz/sasl $(F)/sasl $(V)/sasl: WRAP = -Wl,--wrap=crypto_pbkdf2
$(B)/fuzz/tlsa $(F)/tlsa $(V)/tlsa: MORE = -lcmocka

$(B)/rooms.a: $(OBJ)
	rm -f $@ && ar rcs $@ $^

$(B)/fuzz/%: $(B)/tests/fuzz/fuzz_%.o $(B)/tests/fuzz/replay.o $(B)/rooms.a
	@mkdir -p $(@D)
	$(CC) $(ALLFLAGS) $(HARDEN_LD) $(WRAP) -o $@ \
	    $(filter %.o,$^) $(B)/rooms.a $(LIBS) $(MORE)

$(F)/%.o: %.c Makefile | $(B)/filter.h
	@mkdir -p $(@D)
	clang $(FUZZ_FLAGS) -fsanitize=fuzzer-no-link -MMD -MP -c -o $@ $<

$(F)/rooms.a: $(ROOMS:%.c=$(F)/%.o)
	rm -f $@ && ar rcs $@ $^

$(F)/%: $(F)/tests/fuzz/fuzz_%.o $(F)/rooms.a
	clang $(FUZZ_FLAGS) -fsanitize=fuzzer $(WRAP) -o $@ \
	    $(filter %.o,$^) $(F)/rooms.a $(LIBS) $(MORE)

.PHONY: fuzzers fuzz-coverage
-include $(wildcard $(F)/*.d $(F)/tests/*/*.d $(V)/*.d $(V)/tests/*/*.d)

fuzzers: $(FUZZ:%=$(F)/%)

fuzz: fuzzers
	sh tests/fuzz/run $(FUZZ_SECONDS) $(FUZZ)

# Which lines of each room the corpora reach.
COVER_FLAGS = -std=c11 -g -O1 -fprofile-instr-generate -fcoverage-mapping \
	  $(CPPFLAGS) $(shell pkg-config --cflags $(PACKAGES))

$(V)/%.o: %.c Makefile | $(B)/filter.h
	@mkdir -p $(@D)
	clang $(COVER_FLAGS) -MMD -MP -c -o $@ $<

$(V)/rooms.a: $(ROOMS:%.c=$(V)/%.o)
	rm -f $@ && ar rcs $@ $^

$(V)/%: $(V)/tests/fuzz/fuzz_%.o $(V)/tests/fuzz/replay.o $(V)/rooms.a
	clang $(COVER_FLAGS) $(WRAP) -o $@ $(filter %.o,$^) $(V)/rooms.a \
	    $(LIBS) $(MORE)

fuzz-coverage: $(FUZZ:%=$(V)/%)
	sh tests/fuzz/coverage $(V) $(FUZZ)

# --- killed at every system call: tests/README.md ----------------------------

CRASH	= $(B)/crash/ca/ca.pem \
	  $(if $(filter x86_64,$(shell uname -m)),$(B)/crash/inject)

$(B)/crash/inject: tests/crash/inject.c tests/crash/calls.h
	@mkdir -p $(@D)
	$(CC) -std=c11 $(WARN) -D_DEFAULT_SOURCE -O2 -o $@ $<

$(B)/crash/ca/ca.pem: $(B)/ca
	@mkdir -p $(B)/crash
	$< $(@D)

crash: all $(CRASH)
	B=$(B) $(APART) python3 tests/crash/matrix.py
	B=$(B) $(APART) python3 tests/crash/crowd.py
	B=$(B) $(APART) python3 tests/crash/mutants.py

# --- bad servers: tests/README.md --------------------------------------------

hostile: all $(CRASH) $(B)/peak
	B=$(B) $(APART) python3 tests/hostile/matrix.py --jobs 24
	B=$(B) $(APART) python3 tests/hostile/resolve.py
	B=$(B) $(APART) python3 tests/hostile/connect.py

mutants: all $(CRASH) $(B)/peak units
	B=$(B) $(APART) python3 tests/hostile/mutants.py

played: all units $(REPLAYS) $(B)/submitd $(B)/ca $(B)/convert $(B)/devlog.so \
    $(B)/scarce.so $(B)/peak $(B)/readable.so $(CRASH)

check: played
	B=$(B) SENDOFF=$(B)/sendoff $(APART) $(PROVE) -e '' $(UNITS) tests/*.t

# What the tests reach, in lines and branches: tests/COVERAGE.md.
coverage:
	$(MAKE) COV=1 B=build/cov counted

counted: played
	B=$(B) $(APART) tests/coverage/run $(UNITS)

# Of it what needs neither Python nor root nor minutes: for a package's build.
QUICK	= contrib data mechanisms queue serve terms

quick: all units $(B)/submitd $(B)/ca
	B=$(B) SENDOFF=$(B)/sendoff $(APART) --quick $(PROVE) -e '' $(UNITS) \
	    $(QUICK:%=tests/%.t)

INTEROP	= callers convert dns net probe hand postfix dovecot exim sendmail cyrus \
	node trust pkcs11 identity retry oauth

interop: all $(B)/ca
	B=$(B) SENDOFF=$(CURDIR)/$(B)/sendoff $(APART) tests/interop/lab run \
	    $(PROVE) $(INTEROP:%=tests/interop/%.t)
	B=$(B) $(PROVE) tests/interop/import.t
	tests/interop/figure

# --- measuring --------------------------------------------------------------

$(B)/peak: bench/peak.c
	@mkdir -p $(@D)
	$(CC) -std=c11 $(WARN) $(CPPFLAGS) -O2 -o $@ $<

bench: all $(B)/submitd $(B)/ca $(B)/peak
	B=$(B) bench/run $(ROWS)
	bench/figure

lint: all
	@sh tests/lint/run $(B)/sendmail $(OBJ)

# --- installing ------------------------------------------------------------

PLACES	= DESTDIR prefix sysconfdir datadir mandir docdir unitdir \
	  userunitdir bashdir zshdir FORCE
PLACED	= $(foreach place,$(PLACES),$(place)='$($(place))')
SENDOFF	= '$(DESTDIR)$(prefix)/bin/sendoff'

install: all
	@$(PLACED) sh contrib/install install $(B)/sendmail

# The program of a group that may read a 640 /etc/sendoff.conf: sendmail(8),
# SECURITY.  Below DESTDIR the group must be there already.

GROUP	= sendoff

install-setgid: install
	@getent group $(GROUP) > /dev/null || { test -z "$(DESTDIR)" && \
	    groupadd --system $(GROUP); } || { echo "there is no group" \
	    "\"$(GROUP)\"; make it with: groupadd --system $(GROUP)" >&2; \
	    exit 1; }
	chgrp $(GROUP) $(SENDOFF)
	chmod 2755 $(SENDOFF)
	@echo "$(sysconfdir)/sendoff.conf with a password in it must be root's," \
	    "its group $(GROUP), its mode 640:"
	@echo "    chown root:$(GROUP) $(sysconfdir)/sendoff.conf &&" \
	    "chmod 640 $(sysconfdir)/sendoff.conf"

uninstall:
	@$(PLACED) sh contrib/install uninstall

# --- a release ----------------------------------------------------------------

DIST	= build/sendoff-$(VERSION).tar.xz

# What is committed, nothing else; the same octets at each time.
dist:
	@mkdir -p build
	@git rev-parse -q --verify HEAD:./Makefile > /dev/null 2>&1 || \
	    { echo "make dist wants the git repository" >&2; exit 1; }
	@git diff --quiet HEAD || \
	    echo "make dist: what is not committed is not in it" >&2
	@git -c tar.umask=0022 archive --prefix=sendoff-$(VERSION)/ HEAD \
	    > $(DIST).new
	@xz -9 -T1 -c $(DIST).new > $(DIST)
	@rm -f $(DIST).new
	@echo $(DIST)

distcheck: dist
	@tests/debian/distcheck $(DIST)

# debian/: built, looked at, installed, used and purged, in trees of Debian's.
packages: dist
	@tests/debian/run $(DIST)

clean:
	rm -rf build sendmail sendoff

.SECONDARY:
.PHONY: ALWAYS all deps demo units played check coverage counted quick dist distcheck packages crash hostile mutants fuzz interop bench lint \
	install install-setgid uninstall clean
-include $(wildcard $(B)/*.d $(B)/tests/*/*.d)
