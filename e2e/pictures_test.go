package e2e

import (
	"flag"
	"path/filepath"
	"regexp"
	"testing"
	"time"

	"github.com/playwright-community/playwright-go"
	"github.com/stretchr/testify/require"
)

var pictures = flag.Bool("pictures", false, "take the README's pictures of the console again")

// TestPicturesOfTheConsole takes the README's pictures from the demo: go test ./e2e -run Pictures -pictures
func TestPicturesOfTheConsole(t *testing.T) {
	if !*pictures {
		t.Skip("pictures are only taken with -pictures")
	}
	b := chrome(t)
	s := &fixture{data: t.TempDir()}
	v := &server{Cmd: s.command("demo", "--addr", freeAddr(t)), stdout: &lines{}}
	v.Stdout = v.stdout
	require.NoError(t, v.Start())
	t.Cleanup(func() {
		v.Process.Kill() //nolint:errcheck // the pictures are taken
		v.Wait()         //nolint:errcheck // it was killed
	})
	link := regexp.MustCompile(`(http\S+)(/console/join\?link=\S+)`)
	var m []string
	require.Eventually(t, func() bool {
		m = link.FindStringSubmatch(v.stdout.String())
		return m != nil
	}, 2*time.Minute, 100*time.Millisecond)
	for _, theme := range []*playwright.ColorScheme{playwright.ColorSchemeLight, playwright.ColorSchemeDark} {
		p := newPerson(t, b, m[1], playwright.BrowserNewContextOptions{
			Viewport: &playwright.Size{Width: 1280, Height: 720}, DeviceScaleFactor: new(1.25), ColorScheme: theme,
		})
		if *theme == *playwright.ColorSchemeLight {
			p.open(m[2])
			p.fill("Your name", "Ada")
			p.fill("Email", "ada@example.com")
			p.fill("Password", "correct horse battery")
			p.press("button", "Create account")
		} else {
			p.open("/console/sign-in")
			p.fill("Email", "ada@example.com")
			p.fill("Password", "correct horse battery")
			p.press("button", "Sign in")
		}
		require.NoError(t, p.named("link", "Search").WaitFor())
		demo := regexp.MustCompile(`/console/w/[0-9a-f-]{36}`).FindString(p.URL())
		name := "search.png"
		p.open(demo + "/search?query=fintech&countries=United+States&countries=Germany&sort_by=name")
		if *theme != *playwright.ColorSchemeLight {
			name = "credits.png"
			p.open(demo + "/credits")
		}
		_, err := p.Screenshot(playwright.PageScreenshotOptions{Path: new(filepath.Join("..", "docs", "pictures", name))})
		require.NoError(t, err)
	}
}
