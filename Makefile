# sendoff: README.md says how to begin, HACKING.md how the house is built.
#
# SAN=1 builds with AddressSanitizer and UBSan into a folder of its own.

prefix	= /usr/local
DESTDIR	=
CC	= gcc
B	= build
PACKAGES = gnutls libgsasl libidn2

WARN	= -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wstrict-prototypes \
	  -Wmissing-prototypes -Wformat=2 -Wvla -Wimplicit-fallthrough \
	  -Wnull-dereference -Wwrite-strings \
	  -Werror=format-security -Werror=implicit -Werror=int-conversion \
	  -Werror=incompatible-pointer-types
HARDEN	= -U_FORTIFY_SOURCE -D_FORTIFY_SOURCE=3 -fstack-protector-strong \
	  -fstack-clash-protection -fcf-protection=full \
	  -fno-delete-null-pointer-checks \
	  -fno-strict-overflow -fno-strict-aliasing -fPIE
HARDEN_GCC = -ftrivial-auto-var-init=zero -fzero-call-used-regs=used-gpr -Wtrampolines -Wbidi-chars=any
HARDEN_LD = -pie -Wl,-z,relro -Wl,-z,now -Wl,-z,noexecstack \
	  -Wl,-z,nodlopen -Wl,-z,separate-code -Wl,--as-needed \
	  -Wl,--no-copy-dt-needed-entries
OPTIMISE = -O2 -g

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
endif

VERSION	= 0.1
CPPFLAGS = -D_POSIX_C_SOURCE=200809L -D_DEFAULT_SOURCE -I. \
	  -DVERSION='"$(VERSION)"' -DSYSCONFDIR='"/etc"'
CFLAGS	= $(OPTIMISE)
ALLFLAGS = -std=c11 $(WARN) $(HARDEN) $(HARDEN_GCC) \
	  $(shell pkg-config --cflags $(PACKAGES)) $(CPPFLAGS) $(CFLAGS)
LIBS	= $(shell pkg-config --libs $(PACKAGES))

ROOMS	= $(filter-out sendmail.c,$(wildcard *.c))
OBJ	= $(ROOMS:%.c=$(B)/%.o)
UNITS	= $(patsubst tests/unit/%.c,$(B)/unit/%,$(wildcard tests/unit/*.c))
SUBMITD	= $(patsubst %.c,$(B)/%.o,$(wildcard tests/servers/submitd*.c))

ifeq ($(B),build)
all: sendmail sendoff $(B)/sendmail $(B)/sendoff
else
all: $(B)/sendmail $(B)/sendoff
endif

sendmail sendoff: %: $(B)/%
	cp -P $< $@

$(B)/sendmail: $(B)/sendmail.o $(OBJ)
	$(CC) $(ALLFLAGS) $(HARDEN_LD) -o $@ $^ $(LIBS)

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

.SECONDARY:
.PHONY: all
-include $(wildcard $(B)/*.d $(B)/tests/*/*.d)
