package console

import (
	"context"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/opencapi/capi/internal/console/view"
	"github.com/opencapi/capi/internal/doctor"
)

// examination is the latest run of the doctor at this server. One runs at a time, because it reads a great deal.
type examination struct {
	mu    sync.Mutex
	state view.Doctor
	began time.Time
}

// now returns a copy of the state.
func (e *examination) now() *view.Doctor {
	e.mu.Lock()
	defer e.mu.Unlock()
	d := e.state
	d.Checks = slices.Clone(d.Checks)
	if d.Running {
		d.Took = time.Since(e.began)
	}
	return &d
}

// change lets fn change the state.
func (e *examination) change(fn func(*view.Doctor)) {
	e.mu.Lock()
	defer e.mu.Unlock()
	fn(&e.state)
}

// start reports whether a run may begin, and marks it as running.
func (e *examination) start() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if e.state.Running {
		return false
	}
	e.began, e.state = time.Now(), view.Doctor{Running: true}
	return true
}

func (s *server) doctorPage(w http.ResponseWriter, r *http.Request) error {
	page := s.doctorView()
	if isFragment(r) {
		return render(w, r, http.StatusOK, view.DoctorState(page))
	}
	return render(w, r, http.StatusOK, view.DoctorPage(page))
}

func (s *server) doctorView() *view.Doctor {
	page := s.examination.now()
	page.Possible = s.System.Examine != nil
	return page
}

// examine starts the doctor if it does not run already. The page shows its progress.
func (s *server) examine(w http.ResponseWriter, r *http.Request) error {
	if s.System.Examine == nil {
		return notFound()
	}
	if s.examination.start() {
		ctx, cancel := context.WithCancel(context.WithoutCancel(r.Context()))
		done := make(chan struct{})
		go func() {
			defer cancel()
			select {
			case <-done:
			case <-s.Stopping:
			}
		}()
		go func() {
			defer close(done)
			s.runDoctor(ctx)
		}()
	}
	return redirect(w, r, basePath+"/operator/doctor")
}

func (s *server) runDoctor(ctx context.Context) {
	err := s.System.Examine(ctx, func(area string, done, total int) {
		s.examination.change(func(d *view.Doctor) { d.Area, d.Done, d.Total = area, done, total })
	}, func(c doctor.Check) {
		s.examination.change(func(d *view.Doctor) {
			d.Area, d.Checks, d.Found = "", append(d.Checks, c), d.Found+len(c.Findings)
		})
	})
	if err != nil {
		s.Log.ErrorContext(ctx, "the doctor did not finish", "error", err)
	}
	s.examination.change(func(d *view.Doctor) {
		d.Running, d.Ended, d.Failed, d.Took = false, true, err != nil, time.Since(s.examination.began)
	})
}

// doctorEvents streams the progress of the doctor until it has finished.
func (s *server) doctorEvents(w http.ResponseWriter, r *http.Request) error {
	return s.stream(w, r, progressEvery, func(out *events) (more bool, err error) {
		page := s.doctorView()
		return page.Running, out.send("page", view.DoctorState(page))
	})
}
