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

// ask is a line to a contender's process: run the operation so often, and answer.
type ask struct {
	Op    string
	Times int
	Whole bool // with the answer, not only the times
}

// Own is what a contender has that runs its own clock.
type Own interface{ Took() time.Duration }

// reply is its line back; the first one tells that it is ready.
type reply struct {
	Took   []time.Duration
	Answer *workload.Answer `json:",omitempty"`
	Err    string           `json:",omitempty"`
	PID    int              `json:",omitempty"` // of the process that holds the data, in the first reply
}

// Serve answers asks from in on out until in ends.
func Serve(ctx context.Context, c Contender, w *workload.Workload, in io.Reader, out io.Writer) error {
	write := json.NewEncoder(out)
	first := reply{PID: os.Getpid()}
	if s, ok := c.(interface{ PID() int }); ok {
		first.PID = s.PID()
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
	for range a.Times {
		start := time.Now()
		answer, err := c.Ask(ctx, op)
		took := time.Since(start)
		if o, ok := c.(Own); ok {
			took = o.Took()
		}
		r.Took = append(r.Took, took)
		if err != nil {
			return reply{Err: err.Error()}
		}
		if a.Whole {
			r.Answer = &answer
		}
	}
	return r
}

// Process is a contender in a process of its own.
type Process struct {
	Kind
	command *exec.Cmd
	pid     int
	in      io.WriteCloser
	out     *json.Decoder
}

// Start runs the command, whose standard input and output speak as Serve does, and waits until it is ready.
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
	p.pid = first.PID
	return p, nil
}

// Answer is what the contender says to op.
func (p *Process) Answer(op workload.Op) (workload.Answer, time.Duration, error) {
	r, err := p.ask(ask{op.Name, 1, true})
	if err != nil {
		return workload.Answer{}, 0, err
	}
	return *r.Answer, r.Took[0], nil
}

// Time runs op so often and gives the time that each took.
func (p *Process) Time(op workload.Op, times int) ([]time.Duration, error) {
	r, err := p.ask(ask{op.Name, times, false})
	return r.Took, err
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

// ResidentBytes is the memory that the process holds now, its own and that of files it reads; 0 where that cannot be told.
func (p *Process) ResidentBytes() int64 { return residentBytes(p.pid) }

// AnonymousBytes is what of it is the process's own.
func (p *Process) AnonymousBytes() int64 { return anonymousBytes(p.pid) }
