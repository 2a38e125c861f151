//go:build unix

package provider

import "syscall"

// workerNice is how much a worker gives way (setpriority(2)).
const workerNice = 10

// apart gives a worker a session of its own: signals of the terminal are for the
// server, which ends its calls first, and Linux shares processors fairly between
// sessions before it does between processes (autogroups, sched(7)).
func apart() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setsid: true} }

// giveWay lowers the priority of this process's group, which is its own.
func giveWay() { _ = syscall.Setpriority(syscall.PRIO_PGRP, 0, workerNice) } // without it the work is done as well
