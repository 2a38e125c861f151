// Package rig is what the programs that measure have in common: the real
// server in a process of its own, many simulated callers in this one, scripted
// services that hear, think and talk, and the reading of /proc.
package rig
