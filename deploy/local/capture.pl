# Watches every TCP packet of this network namespace for some seconds and says, as JSON, on which ways it was seen and on which of
# them a text was: capture.pl <seconds> <text>. It needs CAP_NET_RAW, and prints a line "ready" when it watches.
use strict;
use warnings;

my ($seconds, $text) = @ARGV;
my ($AF_PACKET, $SOCK_RAW, $ETH_P_ALL) = (17, 3, 0x0003);
my ($SOL_SOCKET, $SO_RCVBUFFORCE) = (1, 33);
socket(my $socket, $AF_PACKET, $SOCK_RAW, unpack('S', pack('n', $ETH_P_ALL))) or die "no capture: $!\n";
setsockopt($socket, $SOL_SOCKET, $SO_RCVBUFFORCE, pack('i', 64 << 20)) or die "no buffer for the capture: $!\n";
$| = 1;
print "ready\n";

my (%packets, %hits);
my $end = time + $seconds;
while (time < $end) {
  my $readable = '';
  vec($readable, fileno($socket), 1) = 1;
  next unless select($readable, undef, undef, 0.2) > 0;
  recv($socket, my $frame, 1 << 17, 0);
  next unless defined $frame && length($frame) >= 54 && unpack('x12 n', $frame) == 0x0800; # Ethernet, IPv4
  my ($version, $protocol, @addresses) = unpack('x14 C x8 C x2 C8', $frame);
  next unless $protocol == 6;
  my ($from, $to) = unpack('n n', substr($frame, 14 + ($version & 15) * 4, 4));
  my $way = join('.', @addresses[0 .. 3]) . ":$from>" . join('.', @addresses[4 .. 7]) . ":$to";
  $packets{$way}++;
  $hits{$way}++ if index($frame, $text) >= 0;
}

my $json = sub { my ($counts) = @_; '{' . join(',', map { "\"$_\":$counts->{$_}" } sort keys %$counts) . '}' };
print '{"packets":', $json->(\%packets), ',"hits":', $json->(\%hits), "}\n";
