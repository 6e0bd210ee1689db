package app

import (
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/opencapi/capi/internal/config"
)

func TestALookForAServerKeepsNoneFromStarting(t *testing.T) {
	t.Parallel()
	a := &App{}
	a.Config = config.Config{}
	a.Config.Data = t.TempDir()
	require.True(t, a.Alone())
	done := make(chan struct{})
	var looking sync.WaitGroup
	looking.Go(func() {
		for {
			select {
			case <-done:
				return
			case <-time.After(time.Millisecond): // an import looks once a batch
				a.Alone()
			}
		}
	})
	for range 50 {
		lock, err := lockData(a.Config.Data)
		require.NoError(t, err)
		require.False(t, a.Alone(), "a server runs")
		require.NoError(t, lock.Close())
	}
	close(done)
	looking.Wait()
	require.True(t, a.Alone())
}
