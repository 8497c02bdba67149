#!/usr/bin/perl
# Is every test that THREATS.md names there?
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use named;

# A case of the catalogue of attacks, or what is no test.
sub is_no_test
{
	return $_[0] =~ /^[a-z0-9_.*]+$/ && $_[0] !~ /\.(smtp|c)$/ ||
	    $_[0] =~ /^--/;
}

my ($points, $bad, $rows) = (0, 0, 0);
for my $line (split /\n/, contents("$FindBin::Bin/THREATS.md")) {
	next unless $line =~ /^\| (.+) \| (.+) \|$/ && $1 ne "form" &&
	    $line !~ /^\|[-|]+$/;
	my ($threat, $tests) = ($1, $2);
	next if $tests =~ /^(test|what it is|tests\/functional\/NAME.*)$/ ||
	    $threat =~ /WORDS|NAME|FILE/;
	my @names = grep { !is_no_test($_) } $tests =~ /`([^`]+)`/g;
	my @missing = grep { !is_test($_) && !is_source($_) } @names;
	push @missing, "(no test, and no reason)" unless @names ||
	    $tests =~ /^Not |callers' rows/;
	$points++;
	$bad++ if @missing;
	print @missing ? "not ok" : "ok", " $points - $threat\n";
	print "#   missing: $_\n" for @missing;
}
print "1..$points\n";
exit($bad > 0);
