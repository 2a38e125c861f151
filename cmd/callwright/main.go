// Command callwright is self-hosted voice-AI calling in one program.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"os"
	"os/signal"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/alecthomas/kong"

	"github.com/callwright/callwright/internal/config"
)

// cli is the command line. Every flag of Config is also CALLWRIGHT_<NAME> in
// the environment and a key of callwright.yaml.
type cli struct {
	config.Config
	Serve    serveCmd    `cmd:"" help:"Run the API, the dialer and the call engine."`
	Demo     demoCmd     `cmd:"" help:"Place a real call on this machine to a simulated phone and show all of it."`
	Call     callCmd     `cmd:"" help:"Place a call, and show it as it happens."`
	Campaign campaignCmd `cmd:"" help:"List, watch, pause, resume, cancel and export campaigns."`
	Batch    batchCmd    `cmd:"" help:"Call the numbers of a CSV file; list, watch and cancel batches."`
	Key      keyCmd      `cmd:"" help:"Create, list, rotate and revoke API keys."`
	Doctor   doctorCmd   `cmd:"" help:"Look at everything that calls need and say what is wrong, and what to do."`
	Migrate  migrateCmd  `cmd:"" help:"Bring the database to this version's schema."`
	Worker   workerCmd   `cmd:"" hidden:"" help:"Speak for a server; it starts this itself."`
	Version  versionCmd  `cmd:"" help:"Print the version."`
}

func main() {
	var c cli
	parser, err := kong.New(&c,
		kong.Name("callwright"),
		kong.Description("Self-hosted voice-AI calling: create an agent and a flow over REST, and it places and answers real phone calls."),
		kong.DefaultEnvars(strings.TrimSuffix(config.Prefix, "_")),
	)
	if err != nil {
		fail(err)
	}
	keys, err := config.ReadFile(config.File, sharedFlags(parser.Model)...)
	if err != nil {
		fail(err)
	}
	if err := kong.Resolvers(fileResolver(keys)).Apply(parser); err != nil {
		fail(err)
	}
	args := os.Args[1:]
	if len(args) == 0 {
		args = []string{"--help"}
	}
	run, err := parser.Parse(args)
	if err != nil {
		fail(fmt.Errorf("%w (callwright --help shows what there is)", err))
	}
	ctx, force := stopped()
	run.BindTo(ctx, (*context.Context)(nil))
	run.Bind(&c.Config, newLogger(&c.Config), force)
	if err := run.Run(); err != nil {
		fail(err)
	}
}

// forced is closed when the process was told twice to stop.
type forced <-chan struct{}

// forcedTime is how long a process that was told twice to stop may take for it.
const forcedTime = 3 * time.Second

// stopped returns a context that is done with the first signal to stop, and what
// is closed with the second. A third one, or the time, ends the process.
func stopped() (context.Context, forced) {
	ctx, cancel := context.WithCancel(context.Background())
	signals, force := make(chan os.Signal, 1), make(chan struct{})
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		<-signals
		cancel()
		<-signals
		close(force)
		select {
		case <-signals:
		case <-time.After(forcedTime):
		}
		os.Exit(1)
	}()
	return ctx, force
}

// sharedFlags are the flags that every command has. Only they may stand in the
// configuration file.
func sharedFlags(root *kong.Application) []string {
	var names []string
	for _, flag := range root.Flags {
		if flag.Name != "help" {
			names = append(names, flag.Name)
		}
	}
	return names
}

// fileResolver gives flags the values of the configuration file's keys, unless
// the environment has one.
func fileResolver(keys map[string]any) kong.Resolver {
	return kong.ResolverFunc(func(_ *kong.Context, _ *kong.Path, flag *kong.Flag) (any, error) {
		value, ok := keys[flag.Name]
		if !ok || slices.ContainsFunc(flag.Envs, isSet) {
			return nil, nil
		}
		if table, ok := value.(map[string]any); ok {
			return pairs(flag, table)
		}
		list, many := value.([]any)
		if !many {
			return fmt.Sprint(value), nil
		}
		if slices.ContainsFunc(list, isObject) {
			raw, err := json.Marshal(list) // as such a flag is written
			return string(raw), err
		}
		words := make([]string, len(list))
		for i, v := range list {
			words[i] = fmt.Sprint(v)
		}
		sep := ","
		if flag.Tag != nil && flag.Tag.Sep > 0 {
			sep = string(flag.Tag.Sep)
		}
		return strings.Join(words, sep), nil
	})
}

// pairs writes a table of the configuration file as its flag is written:
// NAME=VALUE,NAME=VALUE.
func pairs(flag *kong.Flag, table map[string]any) (string, error) {
	if !flag.IsMap() {
		return "", fmt.Errorf("%s: %s must not be a table of keys and values", config.File, flag.Name)
	}
	words := make([]string, 0, len(table))
	for _, name := range slices.Sorted(maps.Keys(table)) {
		words = append(words, fmt.Sprintf("%s=%v", name, table[name]))
	}
	return strings.Join(words, ","), nil
}

func isObject(value any) bool {
	_, is := value.(map[string]any)
	return is
}

func isSet(variable string) bool {
	_, ok := os.LookupEnv(variable)
	return ok
}

func newLogger(c *config.Config) *slog.Logger {
	var level slog.Level
	_ = level.UnmarshalText([]byte(c.LogLevel)) // the flag's enum has only words that it knows
	o := &slog.HandlerOptions{Level: level}
	if c.LogFormat == "json" {
		return slog.New(slog.NewJSONHandler(os.Stderr, o))
	}
	return slog.New(slog.NewTextHandler(os.Stderr, o))
}

// exitError is an error with an exit code of its own.
type exitError struct {
	code int
	error
}

// Unwrap returns what went wrong.
func (e exitError) Unwrap() error { return e.error }

// fail prints what went wrong and ends the program.
func fail(err error) {
	if errors.Is(err, context.Canceled) {
		os.Exit(130)
	}
	fmt.Fprintln(os.Stderr, "callwright:", err)
	code := 1
	var own exitError
	if errors.As(err, &own) {
		code = own.code
	}
	os.Exit(code)
}
