package analysis

import (
	"context"
	"log/slog"
	"time"

	"github.com/callwright/callwright/internal/domain"
	"github.com/callwright/callwright/internal/flow"
	"github.com/callwright/callwright/internal/queue"
)

// Complete stores an analysis. In one transaction it sets the call's Analysis
// (the call is job.Subject), emits analysis.complete, and stores job, which is
// marked done, with Jobs.Finish. When the call has an analysis already, it only
// stores job: an earlier run was committed after its lease had ended.
type Complete func(ctx context.Context, job domain.Job, analysis domain.Analysis) error

// Options are what a Worker needs. Store and Complete are required.
type Options struct {
	Store    domain.Store
	Complete Complete
	Workers  int // calls analysed at once; 0 is 2
	Logger   *slog.Logger
	Now      func() time.Time // nil is time.Now
}

// How long a job is held, and how often and when it is tried again.
const (
	lease     = time.Minute
	maxTries  = 5
	firstWait = 5 * time.Second
)

// Worker analyses calls until it is stopped.
type Worker struct {
	opts  Options
	queue *queue.Queue[domain.Job]
}

// New makes a worker that looks for jobs after each commit that touched them.
// It does nothing until Run.
func New(opts Options) *Worker {
	if opts.Workers <= 0 {
		opts.Workers = 2
	}
	if opts.Logger == nil {
		opts.Logger = slog.New(slog.DiscardHandler)
	}
	if opts.Now == nil {
		opts.Now = time.Now
	}
	w := &Worker{opts: opts}
	w.queue = queue.New(queue.Options[domain.Job]{
		Name: "analysis", Claim: w.claim, Handle: w.handle, Workers: opts.Workers, Logger: opts.Logger,
	})
	opts.Store.AfterCommit("jobs", w.queue.Kick)
	return w
}

// Looked tells when it last looked for calls to analyse; zero before the first
// time.
func (w *Worker) Looked() time.Time { return w.queue.Looked() }

// Run works until ctx is done and the calls at work are finished.
func (w *Worker) Run(ctx context.Context) error { return w.queue.Run(ctx) }

func (w *Worker) claim(ctx context.Context, _ time.Time, limit int) (jobs []domain.Job, next time.Time, err error) {
	now := w.opts.Now()
	err = w.opts.Store.InTx(ctx, domain.LaneBackground, func(ctx context.Context, s *domain.Stores) (err error) {
		jobs, next, err = s.Jobs.Claim(ctx, domain.JobAnalysis, now, lease, limit)
		return err
	})
	if err != nil {
		return nil, time.Time{}, err
	}
	return jobs, next, nil
}

// handle analyses one call and stores the result, or when to try again.
func (w *Worker) handle(ctx context.Context, job domain.Job) {
	err := w.analyse(ctx, job)
	if err == nil {
		return
	}
	if ctx.Err() != nil {
		return // cut off by the end of the process: the lease brings it back
	}
	job.Error = err.Error()
	job.LeaseUntil = time.Time{}
	if job.Attempt >= maxTries {
		job.State = domain.JobFailed
	} else {
		job.NextAt = w.opts.Now().Add(firstWait << max(job.Attempt-1, 0))
	}
	w.opts.Logger.Error("a call cannot be analysed", "call", job.Subject, "tries", job.Attempt, "state", job.State, "error", err)
	if err := w.finish(ctx, job); err != nil {
		w.opts.Logger.Error("the outcome of an analysis is lost; its lease will bring it back", "call", job.Subject, "error", err)
	}
}

func (w *Worker) finish(ctx context.Context, job domain.Job) error {
	return w.opts.Store.InTx(ctx, domain.LaneBackground, func(ctx context.Context, s *domain.Stores) error {
		return s.Jobs.Finish(ctx, job)
	})
}

// analyse does the job. A call that was never answered, or is gone, has nothing
// to analyse: its job is done without.
func (w *Worker) analyse(ctx context.Context, job domain.Job) error {
	var call *domain.Call
	var turns []domain.Turn
	var definition []byte
	err := w.opts.Store.View(ctx, func(ctx context.Context, s *domain.Stores) (err error) {
		if call, err = s.Calls.ByID(ctx, job.Subject); err != nil {
			return err
		}
		if turns, err = s.Turns.ByCall(ctx, job.Subject); err != nil {
			return err
		}
		definition, err = definitionOf(ctx, s, call)
		return err
	})
	done := job
	done.State, done.LeaseUntil, done.Error = domain.JobDone, time.Time{}, ""
	if domain.CodeOf(err) == domain.CodeNotFound {
		return w.finish(ctx, done)
	}
	if err != nil {
		return err
	}
	if call.AnsweredAt.IsZero() {
		return w.finish(ctx, done)
	}
	return w.opts.Complete(ctx, done, Analyse(call, turns, asks(definition)))
}

// definitionOf returns the flow that the call was pinned to, or nil when there
// is none.
func definitionOf(ctx context.Context, s *domain.Stores, call *domain.Call) ([]byte, error) {
	if call.FlowID == "" {
		return nil, nil
	}
	f, err := s.Flows.Version(ctx, domain.Scope{Workspace: call.WorkspaceID, Mode: call.Mode}, call.FlowID, call.FlowVersion)
	if domain.CodeOf(err) == domain.CodeNotFound {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	return f.Definition, nil
}

// asks lists the variables that a flow asks for, in its order. One that cannot
// be read any more only loses the order.
func asks(definition []byte) []string {
	if definition == nil {
		return nil
	}
	graph, err := flow.Parse(definition)
	if err != nil {
		return nil
	}
	var names []string
	for _, question := range graph.Asks() {
		names = append(names, question.Variable)
	}
	return names
}
