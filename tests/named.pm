# Files, functions and tests that a document names: are they there?
package named;

use strict;
use warnings;
use Exporter "import";
use FindBin;

our @EXPORT = qw(contents is_test is_source);

my $here = $FindBin::Bin;
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

# A case of the catalogue of errors.
sub has_case
{
	my ($words) = @_;

	return grep { /^== [^:]+: .*\Q$words\E/m } map { contents($_) }
	    glob "$here/errors/*.cases";
}

# One of the forms that the head of THREATS.md lists.
sub is_test
{
	my ($name) = @_;

	return has_run($1 eq "hostile" ? "matrix" : $1, $2)
	    if $name =~ /^(hostile|resolve|connect): (.+)$/;
	return has_case($1) if $name =~ /^errors: (.+)$/;
	return (contents("$here/unit/$1.c") // "") =~ /^\Q$2\E\(/m
	    if $name =~ /^(test_\w+): (\w+)$/;
	return index(contents("$here/../$1") // "", $2) >= 0
	    if $name =~ m{^(tests/[\w/.-]+): (.+)$};
	return grep { -e } glob "$here/functional/$name"
	    if $name =~ /\.smtp$/;
	return $name =~ m{^tests/} && -e "$here/../$name";
}

# "file.c", or a function of it: "file.c: function".
sub is_source
{
	my ($name) = @_;

	return $name =~ /^(\w+\.[ch])(?:: (\w+))?$/ &&
	    defined contents("$here/../$1") && (!defined $2 ||
	    contents("$here/../$1") =~ /^\Q$2\E\(/m);
}

1;
