package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/callwright/callwright/client"
	"github.com/callwright/callwright/internal/config"
)

type batchCmd struct {
	Start  batchStart  `cmd:"" help:"Call the numbers of a CSV file. Bad rows are told, and the others called."`
	List   batchList   `cmd:"" help:"List batches, newest first."`
	Status batchStatus `cmd:"" help:"Show how far a batch is."`
	Watch  batchWatch  `cmd:"" help:"Show how far a batch is, until it and its last call are over."`
	Cancel batchCancel `cmd:"" help:"End a batch; calls that are under way go on."`
}

type batchStart struct {
	remote
	File     string            `arg:"" help:"CSV file. Its first line names the columns: phone_number, and what else the calls are to know." placeholder:"FILE"`
	Agent    string            `required:"" help:"Id of the agent that talks." placeholder:"ID"`
	From     string            `help:"Phone number to call from, like +14155552671, or its id; the default is the agent's own." placeholder:"NUMBER"`
	At       string            `help:"Call nobody before, like 2026-12-01T09:00:00Z, or \"2026-12-01 09:00\" by the clock of this machine; the default is at once." placeholder:"TIME"`
	Name     string            `help:"What it is called; the default is the name of the file." placeholder:"NAME"`
	Attempts int               `help:"How often somebody is tried who is not reached." default:"1" placeholder:"N"`
	Variable map[string]string `help:"Variables for all calls, under the columns of the file." placeholder:"NAME=VALUE"`
	Watch    bool              `help:"Show how far it is, until it is over."`
	JSON     bool              `name:"json" help:"Print the batch as one JSON object; with --watch one a line."`
}

// Run starts the batch, and tells of bad rows.
func (k *batchStart) Run(ctx context.Context, c *config.Config) error {
	api, err := k.client(c)
	if err != nil {
		return err
	}
	file, err := os.Open(k.File)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }() // it was only read
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if info.IsDir() {
		return fmt.Errorf("%s is a directory; name a CSV file", k.File)
	}
	fields, err := k.fields(ctx, api)
	if err != nil {
		return k.explained(err)
	}
	made, err := api.StartBatch(ctx, fields, filepath.Base(k.File), &sending{File: file, size: info.Size(), told: time.Now()})
	if err != nil {
		return k.explained(err)
	}
	report, err := made.Report()
	if err != nil {
		return err
	}
	tellFaults(report)
	if k.JSON && !k.Watch {
		return json.NewEncoder(os.Stdout).Encode(made)
	}
	if !k.JSON {
		fmt.Printf("batch %s calls %d numbers%s\n", made.ID, made.CallsTotal, k.when(made))
	}
	if !k.Watch {
		return nil
	}
	watch := batchWatch{oneBatch{remote: k.remote, ID: made.ID, JSON: k.JSON}}
	return watch.Run(ctx, c)
}

func (k *batchStart) when(b *client.NewBatch) string {
	if b.ScheduledAt.After(time.Now()) {
		return " from " + b.ScheduledAt.Local().Format(time.DateTime) + " on"
	}
	return ""
}

// fields are what the flags say.
func (k *batchStart) fields(ctx context.Context, api *client.Client) (client.BatchFields, error) {
	f := client.BatchFields{AgentID: client.Set(k.Agent)}
	if k.Name != "" {
		f.Name = client.Set(k.Name)
	}
	if k.Attempts != 1 {
		f.Retry = client.Set[any](map[string]any{"maxAttempts": k.Attempts})
	}
	if len(k.Variable) > 0 {
		values := make(map[string]any, len(k.Variable))
		for name, value := range k.Variable {
			values[name] = value
		}
		f.Variables = client.Set(values)
	}
	if k.At != "" {
		at, err := moment(k.At)
		if err != nil {
			return f, err
		}
		f.ScheduledAt = client.Set(at.Format(time.RFC3339))
	}
	if k.From == "" {
		return f, nil
	}
	from, err := numberID(ctx, api, k.From)
	f.PhoneNumberID = client.Set(from)
	return f, err
}

// numberID is the id of the workspace's phone number that is written as E.164 or
// named by its id.
func numberID(ctx context.Context, api *client.Client, from string) (string, error) {
	if !strings.HasPrefix(from, "+") {
		return from, nil
	}
	for n, err := range api.AllPhoneNumbers(ctx, client.ListPhoneNumbersQuery{}) {
		if err != nil {
			return "", err
		}
		if n.Number == from {
			return n.ID, nil
		}
	}
	return "", fmt.Errorf("--from: the workspace has no phone number %s", from)
}

// moment reads a time that a person has written: RFC 3339, or by the clock of this
// machine.
func moment(text string) (time.Time, error) {
	if at, err := time.Parse(time.RFC3339, text); err == nil {
		return at, nil
	}
	for _, layout := range []string{"2006-01-02 15:04", "2006-01-02T15:04", time.DateTime} {
		if at, err := time.ParseInLocation(layout, text, time.Local); err == nil {
			return at, nil
		}
	}
	return time.Time{}, fmt.Errorf("--at %q is no time; write it like 2026-12-01T09:00:00Z, or \"2026-12-01 09:00\"", text)
}

// faultsShown is how many bad rows are told one by one.
const faultsShown = 20

// tellFaults tells of bad rows.
func tellFaults(r *client.SheetReport) {
	if r == nil || r.Invalid == 0 {
		return
	}
	fmt.Fprintf(os.Stderr, "callwright: %d of %d rows are bad and not called:\n", r.Invalid, r.Rows)
	for _, fault := range r.Errors[:min(len(r.Errors), faultsShown)] {
		where := fmt.Sprintf("  line %d", fault.Row)
		if fault.Column != "" {
			where += ", " + fault.Column
		}
		fmt.Fprintf(os.Stderr, "%s: %s (%q)\n", where, fault.Reason, fault.Value)
	}
	if more := int(r.Faults) - faultsShown; more > 0 {
		fmt.Fprintf(os.Stderr, "  and %d faults more\n", more)
	}
}

// sending is a file that tells how much of it was read, once a second.
type sending struct {
	*os.File
	size, sent int64
	told       time.Time
}

// Seek begins anew.
func (s *sending) Seek(offset int64, whence int) (int64, error) {
	at, err := s.File.Seek(offset, whence)
	s.sent = at
	return at, err
}

// Read reads on.
func (s *sending) Read(p []byte) (int, error) {
	n, err := s.File.Read(p)
	s.sent += int64(n)
	if now := time.Now(); now.Sub(s.told) >= time.Second {
		s.told = now
		fmt.Fprintf(os.Stderr, "callwright: sent %d of %d MB\n", s.sent>>20, s.size>>20)
	}
	return n, err
}

type batchList struct {
	remote
	Status string `help:"importing, active, paused, completed or cancelled; the default is all." placeholder:"STATUS"`
	JSON   bool   `name:"json" help:"Print one JSON object a batch."`
}

// Run prints the batches.
func (k *batchList) Run(ctx context.Context, c *config.Config) error {
	api, err := k.client(c)
	if err != nil {
		return err
	}
	row := func(b client.Batch) []any {
		return []any{b.ID, b.Status, fmt.Sprintf("%d/%d", b.CallsCompleted, b.CallsTotal), b.CreatedAt.Local().Format(time.DateTime), b.Name}
	}
	return k.explained(table(api.AllBatches(ctx, client.ListBatchesQuery{Status: k.Status}), k.JSON, "ID\tSTATUS\tDONE\tCREATED\tNAME", row))
}

// oneBatch is the batch that a command is about.
type oneBatch struct {
	remote
	ID   string `arg:"" help:"Id of the batch." placeholder:"ID"`
	JSON bool   `name:"json" help:"Print the batch as one JSON object a line."`
}

type (
	batchStatus struct{ oneBatch }
	batchWatch  struct{ oneBatch }
	batchCancel struct{ oneBatch }
)

// Run shows the batch.
func (k *batchStatus) Run(ctx context.Context, c *config.Config) error {
	return k.one(c, func(api *client.Client) (*client.Batch, error) { return api.GetBatch(ctx, k.ID) })
}

// Run shows the batch until it is over.
func (k *batchWatch) Run(ctx context.Context, c *config.Config) error {
	api, err := k.client(c)
	if err != nil {
		return err
	}
	for batch, err := range api.WatchBatch(ctx, k.ID) {
		switch {
		case errors.Is(ctx.Err(), context.Canceled):
			fmt.Fprintf(os.Stderr, "callwright: no longer watching; batch %s goes on\n", k.ID)
			return ctx.Err()
		case err != nil:
			return k.explained(err)
		}
		if err := k.show(batch); err != nil {
			return err
		}
	}
	return nil
}

// Run ends the batch.
func (k *batchCancel) Run(ctx context.Context, c *config.Config) error {
	return k.one(c, func(api *client.Client) (*client.Batch, error) {
		return api.UpdateBatch(ctx, k.ID, client.BatchChange{Status: client.Set("cancelled")})
	})
}

// one shows the batch that do returns.
func (k *oneBatch) one(c *config.Config, do func(*client.Client) (*client.Batch, error)) error {
	api, err := k.client(c)
	if err != nil {
		return err
	}
	batch, err := do(api)
	if err != nil {
		return k.explained(err)
	}
	return k.show(batch)
}

// show prints how far a batch is.
func (k *oneBatch) show(b *client.Batch) error {
	if k.JSON {
		return json.NewEncoder(os.Stdout).Encode(b)
	}
	line := fmt.Sprintf("%s  %-9s  %d/%d%s", time.Now().Format(time.TimeOnly), b.Status, b.CallsCompleted, b.CallsTotal, standing(b.Counts))
	if b.PauseReason != "" {
		line += "  (" + b.PauseReason + ")"
	}
	fmt.Println(line)
	return nil
}
