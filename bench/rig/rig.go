//go:build linux

// Package rig is what the programs that measure have in common: the real
// server in a process of its own, many simulated callers in this one, scripted
// services that hear, think and talk, and the reading of /proc.
package rig

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"os"
	"strings"

	"github.com/callwright/callwright/internal/audio"
)

// Options say what a Rig is made of.
type Options struct {
	Binary   string   // of the server; see Build
	Dir      string   // for all files; it is made
	Database string   // URL of an empty PostgreSQL database; "" is SQLite in Dir
	Args     []string // further flags of "serve"
	Codec    string   // pcmu …
	OwnVoice bool     // the server speaks with its built-in voice, not with the scripted one
	Turns    Turns
	Services ServiceOptions
	Agent    map[string]any // fields of the agent beside prompt and greeting
}

// Rig is a server, phones that it can call, and the services that it uses, all
// at work.
type Rig struct {
	Server   *Server
	Office   *Office
	Sound    *Sound
	Phone    *Phone
	Services *Services

	cancel context.CancelFunc
	ran    []chan error
}

// Open starts everything. Close ends it.
func Open(ctx context.Context, o Options) (_ *Rig, err error) {
	r := &Rig{}
	ctx, r.cancel = context.WithCancel(ctx)
	defer func() {
		if err != nil {
			err = errors.Join(err, r.Close())
		}
	}()
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, err
	}
	codec, ok := audio.CodecByName(strings.ToUpper(o.Codec))
	if !ok {
		return nil, fmt.Errorf("there is no codec %q", o.Codec)
	}
	if r.Services, err = NewServices(o.Services); err != nil {
		return nil, err
	}
	local := netip.AddrFrom4([4]byte{127, 0, 0, 1})
	if r.Sound, err = NewSound(local); err != nil {
		return nil, err
	}
	voice, err := NewVoice(codec)
	if err != nil {
		return nil, err
	}
	if r.Phone, err = NewPhone(local, r.Sound, voice, o.Turns); err != nil {
		return nil, err
	}
	r.Run(ctx, r.Sound.Run)
	r.Run(ctx, r.Phone.Run)
	so := ServerOptions{Binary: o.Binary, Dir: o.Dir, Database: o.Database, Args: o.Args, Settings: r.Services.settings(!o.OwnVoice)}
	if r.Server, err = StartServer(ctx, so); err != nil {
		return nil, err
	}
	trunk := map[string]any{"codecs": []string{codec.Name}}
	agent := map[string]any{"systemPrompt": "You are on line {{line}}. Be brief.", "firstMessage": "Hello, this is the office."}
	r.Office, err = r.Server.OpenOffice(ctx, r.Phone.Addr(), trunk, merged(agent, o.Agent))
	return r, err
}

// Run runs a part until the rig is closed, which returns its error.
func (r *Rig) Run(ctx context.Context, part func(context.Context) error) {
	ran := make(chan error, 1)
	go func() { ran <- part(ctx) }()
	r.ran = append(r.ran, ran)
}

// Close ends everything, the server with its calls at once.
func (r *Rig) Close() error {
	var errs []error
	if r.Server != nil {
		errs = append(errs, r.Server.Kill())
	}
	r.cancel()
	for _, ran := range r.ran {
		errs = append(errs, <-ran)
	}
	if r.Sound != nil {
		errs = append(errs, r.Sound.Close())
	}
	if r.Services != nil {
		errs = append(errs, r.Services.Close())
	}
	return errors.Join(errs...)
}
