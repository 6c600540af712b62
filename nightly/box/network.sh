#!/bin/sh
# The little world around the box: a ward, a server and the outside, each a namespace, with the box between them.
set -eu
join() { # namespace, interface of the box, address of the box, address of the namespace, its way home
  ip netns add "$1"
  ip link add "$2" type veth peer name eth0 netns "$1"
  ip addr add "$3" dev "$2"
  ip link set "$2" up
  ip netns exec "$1" ip link set lo up
  ip netns exec "$1" ip addr add "$4" dev eth0
  ip netns exec "$1" ip link set eth0 up
  ip netns exec "$1" ip route add default via "$5"
}
join wards wards 10.1.0.1/24 10.1.0.7/24 10.1.0.1
join servers servers 10.2.0.1/24 10.2.0.5/24 10.2.0.1
join outside wan 203.0.113.2/24 203.0.113.1/24 203.0.113.2
for host in 10 20 30; do ip netns exec outside ip addr add 192.0.2.$host/32 dev lo; done
ip route add default via 203.0.113.1
