# Mail::DKIM for tests/test_dkim_peers.py.
#
#   dkim_perl.pl sign FOLDER     each line of standard input: FILE HEADER BODY; the file is signed (rsa-sha256)
#   dkim_perl.pl verify FOLDER   each line: FILE; says "FILE pass" or "FILE RESULT"
use strict;
use warnings;

unless (eval { require Mail::DKIM::Verifier; require Mail::DKIM::Signer; require Mail::DKIM::PrivateKey; 1 }) {
  print "missing: Mail::DKIM\n";
  exit 77;
}

my ($what, $folder) = @ARGV;

sub bytes_of {
  my ($name) = @_;
  open(my $file, '<:raw', "$folder/$name") or die "$folder/$name: $!";
  local $/;
  my $bytes = <$file>;
  return $bytes;
}

my %records;
for my $selector ('rsa', 'ed') {
  $records{$selector} = bytes_of("$selector.txt");
}

# In place of DNS.
{
  no warnings 'redefine';
  *Mail::DKIM::PublicKey::fetch_async = sub {
    my ($class, %asked) = @_;
    my $then = $asked{Callbacks}{Success} || sub { $_[0] };
    my $record = $asked{Domain} eq 'shop.example' ? $records{$asked{Selector}} : undef;
    my $key;
    if (defined $record) {
      $key = $class->parse($record);
      $key->{Selector} = $asked{Selector};
      $key->{Domain} = $asked{Domain};
      $key->check;
    }
    my $answer = $then->($key);
    return sub { $answer };
  };
}

sub sign {
  my ($name, $header, $body) = @_;
  my $message = bytes_of($name);
  my $signer = Mail::DKIM::Signer->new(
    Algorithm => 'rsa-sha256', Method => "$header/$body", Domain => 'shop.example', Selector => 'rsa',
    Key => Mail::DKIM::PrivateKey->load(File => "$folder/rsa.pem"));
  $signer->PRINT($message);
  $signer->CLOSE;
  open(my $file, '>:raw', "$folder/$name") or die "$folder/$name: $!";
  print $file $signer->signature->as_string, "\015\012", $message;
  close $file;
}

sub verify {
  my ($name) = @_;
  my $verifier = Mail::DKIM::Verifier->new;
  my $done = eval { $verifier->PRINT(bytes_of($name)); $verifier->CLOSE; 1 };
  return $done ? $verifier->result : 'died';
}

while (my $line = <STDIN>) {
  my @words = split ' ', $line;
  if ($what eq 'sign') {
    sign(@words);
  } else {
    print "$words[0] ", verify($words[0]), "\n";
  }
}
