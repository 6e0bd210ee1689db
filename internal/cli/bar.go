package cli

import (
	"io"
	"time"

	"github.com/schollz/progressbar/v3"
)

// bar is a progress bar. The nil bar shows nothing; newBar returns it if w is not a terminal.
type bar struct{ *progressbar.ProgressBar }

const barWidth = 30

// newBar starts a bar that counts up to total, or spins if total is 0.
func newBar(w io.Writer, total int64) *bar {
	if terminalWidth(w) == 0 {
		return nil
	}
	if total <= 0 {
		total = -1
	}
	return &bar{progressbar.NewOptions64(total,
		progressbar.OptionSetWriter(w), progressbar.OptionSetWidth(barWidth), progressbar.OptionThrottle(100*time.Millisecond),
		progressbar.OptionClearOnFinish(), progressbar.OptionSetPredictTime(false), progressbar.OptionSetElapsedTime(false),
		progressbar.OptionShowDescriptionAtLineEnd(), progressbar.OptionSetTheme(progressbar.Theme{
			Saucer: "█", SaucerPadding: "░", BarStart: "", BarEnd: "",
		}))}
}

// show moves the bar to done and shows text beside it. Errors of drawing are ignored.
func (b *bar) show(done int64, text string) {
	if b == nil {
		return
	}
	b.Describe(text)
	b.Set64(done) //nolint:errcheck // see above
}

// clear removes the bar from the terminal.
func (b *bar) clear() {
	if b != nil {
		b.Clear() //nolint:errcheck // see show
	}
}
