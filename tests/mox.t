#!/usr/bin/perl
# Is every file, function and test that docs/mox.md names there, and does it
# have a row for each thing of mox's that was counted?
use strict;
use warnings;

use FindBin;
use lib $FindBin::Bin;
use named;

# Sections, and what mox has of each.
my %rows = (
	"sendmail.go" => 17, "smtpclient" => 32, "sasl and scram" => 8,
	"TestClient" => 22, "TestErrors" => 16, "TestLimits" => 5,
	"TestDialHost" => 1, "TestGatherDestinations" => 15,
	"TestGatherIPs" => 9, "TestGatherTLSA" => 13,
	"TestGatherTLSANames" => 5, "scram_test" => 14, "dane_test" => 26,
	"data_test" => 14, "server_test" => 21, "Of the server" => 6,
	"Worth keeping" => 13, "Defects" => 12,
);
my ($points, $bad, $section, %seen, %tests) = (0, 0, "");

sub point
{
	my ($what, @wrong) = @_;

	$points++;
	$bad++ if @wrong;
	print @wrong ? "not ok" : "ok", " $points - $what\n";
	print "#   $_\n" for @wrong;
}

sub in_ticks
{
	return $_[0] =~ /`([^`]+)`/g;
}

# A verdict other than "same" says why.
sub without_reason
{
	my ($here) = @_;

	return "it does not begin with a verdict" unless
	    $here =~ /^(same|better|otherwise|left out)\b/;
	my $verdict = $1;
	$here =~ s/`[^`]+`//g;
	return $verdict ne "same" && (() = $here =~ /\w+/g) < 6 ?
	    "$verdict, and no reason" : ();
}

sub row
{
	my ($n, $mox, $here, $tests) = @_;
	my @named = in_ticks($tests);

	$seen{$section}++;
	$tests{"$section $n"} = { map { $_ => 1 } @named };
	point("$section $n",
	    $n == $seen{$section} ? () : "it is row $seen{$section}",
	    without_reason($here),
	    @named || $here =~ /^left out/ ? () : "it names no test",
	    map({ "missing: $_" } grep { !is_source($_) && !is_test($_) }
		in_ticks("$mox $here")),
	    map({ "missing: $_" } grep { !is_test($_) } @named));
}

for my $line (split /\n/, contents("$FindBin::Bin/../docs/mox.md") // "") {
	if ($line =~ /^#+ (.+)$/) {
		$section = $1;
	} elsif ($line =~ /^\| (\d+) \| (.+) \| (.+) \| (.*?) ?\|$/) {
		row($1, $2, $3, $4);
	} elsif ($line =~ /^\| *\d/) {
		point("a row: $line", "it has other columns");
	} elsif (my @missing = grep { !is_source($_) && !is_test($_) }
	    in_ticks($line)) {
		point("a line: $line", map { "missing: $_" } @missing);
	}
}
for (sort keys %rows) {
	my $n = $seen{$_} // 0;
	point("$_: all of it", $n == $rows{$_} ? () :
	    "$n rows, not $rows{$_}");
}

# Transcripts say of which test of mox's they are.
for my $path (glob "$FindBin::Bin/functional/*.smtp") {
	my ($file) = $path =~ m{([^/]+)$};
	next unless contents($path) =~ /mox (\w*[tT]est\w*) (\d+(?:, \d+)*)/;
	my $of = $1;
	point("$file is in its row", map { $tests{"$of $_"}{$file} ? () :
	    "$of $_ does not name it" } split /, /, $2);
}
print "1..$points\n";
exit($bad > 0);
