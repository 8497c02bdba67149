#!/usr/bin/perl
# Is every test that THREATS.md names there?
use strict;
use warnings;

my $here = $0 =~ m{^(.*)/} ? $1 : ".";
my %list;

sub contents
{
	open my $f, "<", $_[0] or return undef;
	local $/;
	return scalar <$f>;
}

# The names of all runs of tests/hostile.
sub runs
{
	my ($program) = @_;

	$list{$program} //= [split /\n/,
	    qx(python3 -B $here/hostile/$program.py --list)];
	return @{$list{$program}};
}

sub has_run
{
	my ($program, $words) = @_;

	return grep { index($_, $words) >= 0 } runs($program);
}

sub is_there
{
	my ($name) = @_;

	return has_run($1 eq "hostile" ? "matrix" : $1, $2)
	    if $name =~ /^(hostile|resolve|connect): (.+)$/;
	return (contents("$here/unit/$1.c") // "") =~ /^\Q$2\E\(/m
	    if $name =~ /^(test_\w+): (\w+)$/;
	return grep { -e } glob "$here/functional/$name"
	    if $name =~ /\.smtp$/;
	return -e "$here/../$name";
}

# A case of the catalogue of attacks, or what is no test.
sub is_no_test
{
	return $_[0] =~ /^[a-z0-9_.*]+$/ && $_[0] !~ /\.(smtp|c)$/ ||
	    $_[0] =~ /^--/;
}

my ($points, $bad, $rows) = (0, 0, 0);
for my $line (split /\n/, contents("$here/THREATS.md")) {
	next unless $line =~ /^\| (.+) \| (.+) \|$/ && $1 ne "form" &&
	    $line !~ /^\|[-|]+$/;
	my ($threat, $tests) = ($1, $2);
	next if $tests =~ /^(test|what it is|tests\/functional\/NAME.*)$/ ||
	    $threat =~ /WORDS|NAME|FILE/;
	my @names = grep { !is_no_test($_) } $tests =~ /`([^`]+)`/g;
	my @missing = grep { !is_there($_) } @names;
	push @missing, "(no test, and no reason)" unless @names ||
	    $tests =~ /^Not |callers' rows/;
	$points++;
	$bad++ if @missing;
	print @missing ? "not ok" : "ok", " $points - $threat\n";
	print "#   missing: $_\n" for @missing;
}
print "1..$points\n";
exit($bad > 0);
