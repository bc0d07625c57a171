#!/usr/bin/env python3
"""Messages a second that are verified, one core: dkim_bench beside python3-dkim, Mail::DKIM and opendkim over the same
messages in the same run, with the key at hand. Verifiers that are not installed are left out.

  bench/dkim_peers.py --bench build/release/bench/dkim_bench
"""
import argparse
import pathlib
import re
import resource
import subprocess
import tempfile

PYTHON = """
import pathlib, sys, time
import dkim
folder = pathlib.Path(sys.argv[1])
record = (folder / "key.txt").read_bytes()
texts = [file.read_bytes() for file in sorted(folder.glob("*.eml"))]
best = 0
for _ in range(3):
    begin = time.process_time()
    for text in texts:
        assert dkim.verify(text, dnsfunc=lambda name, timeout=5: record)
    best = max(best, len(texts) / (time.process_time() - begin))
print(best)
"""
PERL = r"""
use Mail::DKIM::Verifier;
my ($folder) = @ARGV;
sub bytes_of { open(my $file, '<:raw', $_[0]) or die "$_[0]: $!"; local $/; return scalar <$file>; }
my $record = bytes_of("$folder/key.txt");
{ no warnings 'redefine';
  *Mail::DKIM::PublicKey::fetch_async = sub {
    my ($class, %asked) = @_;
    my $key = $class->parse($record);
    $key->check;
    my $answer = $asked{Callbacks}{Success}->($key);
    return sub { $answer };
  };
}
my @texts = map { bytes_of($_) } sort glob("$folder/*.eml");
my $best = 0;
for (1 .. 3) {
  my $begin = (times)[0];
  for my $text (@texts) {
    my $verifier = Mail::DKIM::Verifier->new;
    $verifier->PRINT($text);
    $verifier->CLOSE;
    die $verifier->result_detail unless $verifier->result eq 'pass';
  }
  my $rate = @texts / ((times)[0] - $begin);
  $best = $rate if $rate > $best;
}
print "$best\n";
"""


def rate_of(command):
    """What it printed; None where it cannot be run."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    return float(done.stdout) if done.returncode == 0 else None


def cpu_seconds(command):
    """Of a child; None where it cannot be run, or failed."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    except FileNotFoundError:
        return None
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    verified = done.stdout.count(" succeeded")
    if done.returncode != 0 or verified != command[-1].count(",") + 1:
        return None
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def opendkim_rate(folder):
    """Of all messages at once, less what one of them takes: reading the configuration and starting."""
    folder = pathlib.Path(folder)
    keys, settings = folder / "keys", folder / "opendkim.conf"
    texts = sorted(folder.glob("*.eml"))
    signed = texts[0].read_text()
    place = [re.search(rf"[\s;]{tag}=([\w.]+)", signed)[1] for tag in "sd"]
    keys.write_text(f"{place[0]}._domainkey.{place[1]} {(folder / 'key.txt').read_text()}\n")
    settings.write_text(f"Mode v\nTestPublicKeys {keys}\n")
    best = 0
    for _ in range(5):
        times = [cpu_seconds(["/usr/sbin/opendkim", "-x", str(settings), "-t", ",".join(map(str, some))])
                 for some in (texts[:1], texts)]
        if None in times or times[1] <= times[0]:
            return None
        best = max(best, (len(texts) - 1) / (times[1] - times[0]))
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--bench", default="build/release/bench/dkim_bench")
    options = parser.parse_args()
    figures = subprocess.run([options.bench], capture_output=True, text=True, check=True).stdout
    print(figures, end="")
    ours = float(re.search(r"^read and verify rsa-sha256\s+(\d+)/s", figures, re.MULTILINE)[1])
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([options.bench, "--write", folder], check=True)
        for name, rate in (("python3-dkim", rate_of(["/usr/bin/python3", "-c", PYTHON, folder])),
                           ("Mail::DKIM", rate_of(["perl", "-e", PERL, "--", folder])),
                           ("opendkim", opendkim_rate(folder))):
            if rate is None:
                print(f"{name:34} is not there, or failed")
            else:
                print(f"{name:34} {rate:9.0f}/s   1/{ours / rate:.0f} of reading and verifying here")


if __name__ == "__main__":
    main()
