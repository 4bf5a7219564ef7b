# Watches every TCP packet of this network namespace for some seconds and says, as JSON, on which ways it was seen, for each of some
# texts on which of them it was, and how many packets the kernel has dropped because they came too fast:
# capture.pl <seconds> <text in hexadecimal>... It needs CAP_NET_RAW, and prints a line "ready" when it watches.
use strict;
use warnings;

my ($seconds, @texts) = @ARGV;
@texts = map { pack('H*', $_) } @texts;
my ($AF_PACKET, $SOCK_RAW, $ETH_P_ALL) = (17, 3, 0x0003);
my ($SOL_SOCKET, $SO_RCVBUFFORCE) = (1, 33);
my ($SOL_PACKET, $PACKET_STATISTICS) = (263, 6);
socket(my $socket, $AF_PACKET, $SOCK_RAW, unpack('S', pack('n', $ETH_P_ALL))) or die "no capture: $!\n";
setsockopt($socket, $SOL_SOCKET, $SO_RCVBUFFORCE, pack('i', 64 << 20)) or die "no buffer for the capture: $!\n";
$| = 1;
print "ready\n";

my %packets;
my @hits = map { {} } @texts;
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
  for my $n (0 .. $#texts) { $hits[$n]{$way}++ if index($frame, $texts[$n]) >= 0; }
}

# struct tpacket_stats of linux/if_packet.h: packets, drops
my (undef, $drops) = unpack('L L', getsockopt($socket, $SOL_PACKET, $PACKET_STATISTICS) // die "no statistics: $!\n");
my $json = sub { my ($counts) = @_; '{' . join(',', map { "\"$_\":$counts->{$_}" } sort keys %$counts) . '}' };
print '{"packets":', $json->(\%packets), ',"hits":[', join(',', map { $json->($_) } @hits), "],\"drops\":$drops}\n";
