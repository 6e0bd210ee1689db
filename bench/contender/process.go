package contender

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"time"

	"github.com/opencapi/capi/bench/workload"
)

// ask is a line sent to a contender's process: run the operation this many times, and answer.
type ask struct {
	Op     string
	WarmUp time.Duration // runs that are not counted take so long, and are one at least; 0 for none
	Times  int
	Whole  bool // with the answer, not only the times
}

// Optional methods of a contender: its own clock, the share of the index in the last run, and the time
// from its start to its first answer.
type (
	Own    interface{ Took() time.Duration }
	Parted interface {
		DataTook() (took time.Duration, known bool)
	}
	Started interface{ FirstAnswer() time.Duration }
)

// reply is the line sent back; the first one signals that the contender is ready.
type reply struct {
	Runs
	Answer *workload.Answer `json:",omitempty"`
	Err    string           `json:",omitempty"`

	// In the first reply.
	PID         int           `json:",omitempty"` // of the process that holds the data
	FirstAnswer time.Duration `json:",omitempty"`
}

// Runs are the durations of the runs of one operation.
type Runs struct {
	Took     []time.Duration
	DataTook []time.Duration `json:",omitempty"` // of these what index and catalog took; nil where that is not known
}

// Serve reads asks from in and writes replies to out until in ends.
func Serve(ctx context.Context, c Contender, w *workload.Workload, in io.Reader, out io.Writer) error {
	write := json.NewEncoder(out)
	first := reply{PID: os.Getpid()}
	if s, ok := c.(interface{ PID() int }); ok {
		first.PID = s.PID()
	}
	if s, ok := c.(Started); ok {
		first.FirstAnswer = s.FirstAnswer()
	}
	if err := write.Encode(first); err != nil {
		return err
	}
	read := json.NewDecoder(bufio.NewReader(in))
	for {
		var a ask
		if err := read.Decode(&a); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return fmt.Errorf("read ask: %w", err)
		}
		if err := write.Encode(run(ctx, c, w, a)); err != nil {
			return fmt.Errorf("write reply: %w", err)
		}
	}
}

func run(ctx context.Context, c Contender, w *workload.Workload, a ask) (r reply) {
	op, ok := w.Op(a.Op)
	if !ok {
		return reply{Err: "unknown operation " + a.Op}
	}
	times, err := warmUp(ctx, c, op, a)
	if err != nil {
		return reply{Err: err.Error()}
	}
	for range times {
		start := time.Now()
		answer, err := c.Ask(ctx, op)
		took := time.Since(start)
		if err != nil {
			return reply{Err: err.Error()}
		}
		if o, ok := c.(Own); ok {
			took = o.Took()
		}
		r.Took = append(r.Took, took)
		if p, ok := c.(Parted); ok {
			if took, known := p.DataTook(); known {
				r.DataTook = append(r.DataTook, took)
			}
		}
		if a.Whole {
			r.Answer = &answer
		}
	}
	return r
}

// warmUp runs op without counting and returns how many runs to count: one if a run takes over a second.
func warmUp(ctx context.Context, c Contender, op workload.Op, a ask) (times int, err error) {
	for began := time.Now(); time.Since(began) < a.WarmUp; {
		start := time.Now()
		if _, err := c.Ask(ctx, op); err != nil {
			return 0, err
		}
		if time.Since(start) > time.Second {
			return 1, nil
		}
	}
	return a.Times, nil
}

// Process is a contender in its own process.
type Process struct {
	Kind
	command *exec.Cmd
	pid     int
	in      io.WriteCloser
	out     *json.Decoder

	// FirstAnswer is the time from its start to its first answer; 0 if it does not report it.
	FirstAnswer time.Duration
}

// Start runs the command, which must speak Serve's protocol on standard input and output, and waits until it is ready.
func Start(k Kind, command *exec.Cmd) (*Process, error) {
	p := &Process{Kind: k, command: command}
	in, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	out, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	command.Stderr = os.Stderr
	p.in, p.out = in, json.NewDecoder(bufio.NewReader(out))
	if err := command.Start(); err != nil {
		return nil, fmt.Errorf("start %s: %w", k.Name, err)
	}
	var first reply
	if err := p.out.Decode(&first); err != nil {
		return nil, errors.Join(fmt.Errorf("start %s: %w", k.Name, err), p.Close())
	}
	p.pid, p.FirstAnswer = first.PID, first.FirstAnswer
	return p, nil
}

// Answer returns the contender's answer to op.
func (p *Process) Answer(op workload.Op) (workload.Answer, error) {
	r, err := p.ask(ask{Op: op.Name, Times: 1, Whole: true})
	if err != nil {
		return workload.Answer{}, err
	}
	return *r.Answer, nil
}

// warmUpTime is the uncounted time of a visit: another contender ran before, so the processor's caches are
// full of its data, and cores may be idle.
const warmUpTime = 100 * time.Millisecond

// Time visits the contender: after a warm-up it runs op this many times, or once if a run takes over a second.
func (p *Process) Time(op workload.Op, times int) (Runs, error) {
	r, err := p.ask(ask{Op: op.Name, WarmUp: warmUpTime, Times: times})
	return r.Runs, err
}

func (p *Process) ask(a ask) (r reply, err error) {
	if err := json.NewEncoder(p.in).Encode(a); err != nil {
		return r, fmt.Errorf("ask %s for %s: %w", p.Name, a.Op, err)
	}
	if err := p.out.Decode(&r); err != nil {
		return r, fmt.Errorf("answer of %s to %s: %w", p.Name, a.Op, err)
	}
	if r.Err != "" {
		return r, fmt.Errorf("answer of %s to %s: %s", p.Name, a.Op, r.Err)
	}
	return r, nil
}

// Close ends the process and waits for it.
func (p *Process) Close() error {
	p.in.Close()
	if err := p.command.Wait(); err != nil {
		return fmt.Errorf("end %s: %w", p.Name, err)
	}
	return nil
}

// ResidentBytes returns the memory of the process, including mapped files; 0 if unknown.
func (p *Process) ResidentBytes() int64 { return ResidentBytes(p.pid) }

// AnonymousBytes returns the process's private memory.
func (p *Process) AnonymousBytes() int64 { return AnonymousBytes(p.pid) }
