//go:build linux

package main

import (
	"fmt"
	"hash/fnv"
	"time"
)

// script is how the far end of one number behaves, call after call: it follows
// from the number alone.
type script struct {
	name    string
	quiet   time.Duration // until it says anything: INVITEs are sent again meanwhile
	rings   bool          // with 180
	after   time.Duration // from the first word to the final response
	final   string        // status line; "" never comes
	hangsUp time.Duration // after the ACK; 0 leaves it to the caller
}

// overloaded is the name of those whom a campaign calls once more.
const overloaded = "overloaded"

// scripts are the ways in which numbers behave; talking ones are the most.
var scripts = []script{
	{name: "talks", rings: true, after: 80 * time.Millisecond, final: "200 OK", hangsUp: 300 * time.Millisecond},
	{name: "talks", rings: true, after: 300 * time.Millisecond, final: "200 OK", hangsUp: 1500 * time.Millisecond},
	{name: "listens", rings: true, after: 150 * time.Millisecond, final: "200 OK"},
	{name: "listens at once", final: "200 OK"},
	{name: "slow", quiet: 1200 * time.Millisecond, rings: true, after: 700 * time.Millisecond, final: "200 OK", hangsUp: time.Second},
	{name: "busy", after: 30 * time.Millisecond, final: "486 Busy Here"},
	{name: "does not answer", rings: true, after: 1500 * time.Millisecond, final: "480 Temporarily Unavailable"},
	{name: overloaded, after: 10 * time.Millisecond, final: "503 Service Unavailable"},
	{name: "declines", rings: true, after: 200 * time.Millisecond, final: "603 Decline"},
	{name: "rings", rings: true, after: 4 * time.Second, final: "200 OK", hangsUp: 200 * time.Millisecond},
}

// again is how everybody behaves who is called once more.
var again = script{name: "called again", rings: true, after: 50 * time.Millisecond, final: "200 OK", hangsUp: 200 * time.Millisecond}

// scriptOf is the script of a number.
func scriptOf(number string) script {
	h := fnv.New32a()
	_, _ = h.Write([]byte(number)) // never fails
	return scripts[h.Sum32()%uint32(len(scripts))]
}

// areas are the area codes in which contacts have numbers, ten thousand each.
var areas = []int{202, 212, 213, 303, 305, 312, 404, 415, 512, 617, 702, 713, 206, 214, 215, 310}

// numberOf is the number of the contact with an index.
func numberOf(index int) string {
	return fmt.Sprintf("+1%d555%04d", areas[index/10_000%len(areas)], index%10_000)
}
