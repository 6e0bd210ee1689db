package cli

import (
	"bytes"
	"cmp"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/opencapi/capi/client"
	"github.com/opencapi/capi/internal/export"
	"github.com/opencapi/capi/internal/signing"
)

type verifyCommand struct {
	Files     []string `arg:"" name:"file" help:"Files of exports, with their manifests, or signed receipts and statements."`
	Manifest  string   `placeholder:"FILE" help:"The manifest of the file (default: the file's name followed by .manifest.json, or that with the _ before it of deliveries)."`
	Signature string   `placeholder:"FILE" help:"The signature of the manifest, or of a receipt or statement (default: its name followed by .jws). It can be the headers of the response."`
	Keys      string   `placeholder:"FILE" help:"A copy of the server's /.well-known/jwks.json."`
	Server    string   `placeholder:"URL" help:"The server to get the keys from, such as https://capi.example.com."`
	Token     string   `env:"CAPI_TOKEN" placeholder:"TOKEN" help:"With --server, compare the manifest with the receipt of the export."`
	jsonFlag
}

// Help is shown below the summary.
func (verifyCommand) Help() string {
	return `It reads the whole file and checks its size, SHA-256, rows and columns against the manifest. With the server or its keys it checks who signed
the manifest, and with a token that the server's receipt has the same rows and charge. A file without a manifest is a receipt or statement,
of which the signature is checked. It needs no data directory.

To get manifest and signature, download the manifest_url and manifest_signature_url that POST /exports/{id}/download returns. The signature
of a receipt or statement is the header JWS-Signature of the response; curl --dump-header writes a file that --signature reads. In a
destination, they are beside the file, and their names begin with _, which may stay.

The exit status is 1 if anything is different or cannot be checked. Examples:

    capi verify us-fintech-50-2026-03-01.csv
    capi verify us-fintech-50-2026-03-01.csv --server https://capi.example.com
    capi verify *.parquet --keys jwks.json
    capi verify receipt.csv --signature headers.txt --server https://capi.example.com`
}

// Validate checks the server.
func (c *verifyCommand) Validate() error {
	if u, err := url.Parse(c.Server); c.Server != "" && (err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "") {
		return fmt.Errorf("--server %q is not a URL such as https://capi.example.com", c.Server)
	}
	return nil
}

// verified is what verify prints as JSON for a file.
type verified struct {
	OK        bool             `json:"ok"`
	File      string           `json:"file"`
	Manifest  *export.Manifest `json:"manifest,omitempty"` // missing for a receipt or statement
	Checks    []export.Check   `json:"checks"`
	Signature string           `json:"signature"` // valid, invalid or not checked
	KeyID     string           `json:"kid,omitempty"`
}

// The names of the checks beside those of a manifest.
const (
	checkSignature = "signature"
	checkReceipt   = "receipt"
)

// Run checks each file and prints the results.
func (c *verifyCommand) Run(s *session) error {
	if len(c.Files) > 1 && c.Manifest+c.Signature != "" {
		return &usageError{errors.New("--manifest and --signature are for one file"), "capi verify"}
	}
	keys, err := c.keys(s)
	if err != nil {
		return err
	}
	var all []verified
	var broken []error
	ok := true
	for i, file := range c.Files {
		v, err := c.file(s, file, keys)
		if err != nil {
			if ok = false; len(c.Files) == 1 {
				return err
			}
			broken = append(broken, err)
			continue
		}
		ok = ok && v.OK
		all = append(all, v)
		if !c.JSON {
			if i > 0 {
				s.printf("\n")
			}
			s.printVerified(v)
		}
	}
	if c.JSON {
		var out any = map[string]any{"ok": ok, "items": all}
		if len(c.Files) == 1 {
			out = all[0]
		}
		if err := s.printJSON(out); err != nil {
			return err
		}
	}
	if len(broken) == 0 && !ok {
		return errFindings
	}
	return errors.Join(broken...)
}

// keys returns the keys to check signatures with; nil if there are none.
func (c *verifyCommand) keys(s *session) (*signing.Keys, error) {
	var content []byte
	var err error
	from := c.Keys
	switch {
	case c.Keys != "":
		if content, err = os.ReadFile(c.Keys); err != nil {
			return nil, readable(c.Keys, err)
		}
	case c.Server != "":
		from = c.Server
		if content, err = c.client().Keys(s.ctx); err != nil {
			return nil, fmt.Errorf("the keys of %s could not be fetched: %w", c.Server, err)
		}
	default:
		return nil, nil //nolint:nilnil // signatures are not checked
	}
	keys, err := signing.ParseKeys(content)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", from, err)
	}
	return &keys, nil
}

func (c *verifyCommand) client() *client.Client {
	return client.New(c.Server, c.Token, client.Options{})
}

func (c *verifyCommand) file(s *session, file string, keys *signing.Keys) (verified, error) {
	f, err := os.Open(file)
	if err != nil {
		return verified{}, readable(file, err)
	}
	defer f.Close()
	v := verified{File: file, Signature: "not checked"}
	path := cmp.Or(c.Manifest, export.ManifestName(file))
	signed, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && c.Manifest == "" {
		delivered := filepath.Join(filepath.Dir(file), export.BesideName(filepath.Base(path)))
		if content, found := os.ReadFile(delivered); !errors.Is(found, fs.ErrNotExist) {
			path, signed, err = delivered, content, found
		}
	}
	switch {
	case errors.Is(err, fs.ErrNotExist) && c.Manifest == "":
		if _, err := os.Stat(export.SignatureName(file)); err != nil && c.Signature == "" {
			return v, fmt.Errorf("there is no manifest %s beside it, nor one that begins with _; name it with --manifest. "+
				"To get it, download the manifest_url that POST /exports/{id}/download returns", path)
		}
		if keys == nil {
			return v, fmt.Errorf("to check the signature of %s, name the server with --server, or a copy of its keys with --keys", file)
		}
		if signed, err = io.ReadAll(f); err != nil {
			return v, readable(file, err)
		}
		path = file
	case err != nil:
		return v, readable(path, err)
	default:
		m, err := export.ParseManifest(bytes.NewReader(signed))
		if err != nil {
			return v, fmt.Errorf("%s: %w", path, err)
		}
		v.Manifest = &m
		if v.Checks, err = m.Verify(f); err != nil {
			return v, readable(file, err)
		}
	}
	if keys != nil {
		check, kid := c.signature(path, signed, *keys)
		v.Checks, v.KeyID, v.Signature = append(v.Checks, check), kid, "invalid"
		if check.OK {
			v.Signature = "valid"
		}
	}
	if v.Manifest != nil && c.Server != "" && c.Token != "" {
		v.Checks = append(v.Checks, c.receipt(s, *v.Manifest, *keys))
	}
	v.OK = !slices.ContainsFunc(v.Checks, func(k export.Check) bool { return !k.OK })
	return v, nil
}

// signature checks the signature of a document that was read from path.
func (c *verifyCommand) signature(path string, document []byte, keys signing.Keys) (check export.Check, kid string) {
	check = export.Check{Name: checkSignature, Expected: "a signature by a published key"}
	file := cmp.Or(c.Signature, export.SignatureName(path))
	content, err := os.ReadFile(file)
	if err != nil {
		check.Found = readable(file, err).Error() + "; download it from the manifest_signature_url that POST /exports/{id}/download returns"
		return check, ""
	}
	kid, err = keys.Verify(document, signatureIn(content))
	switch {
	case errors.Is(err, signing.ErrUnknownKey):
		check.Found = fmt.Sprintf("it is by the key %q, which the server does not publish: it is of another server, the key was revoked, or the copy of the keys is old", kid)
	case errors.Is(err, signing.ErrMismatch):
		check.Found = fmt.Sprintf("it does not fit: %s or %s was changed, or they do not belong together", path, file)
	case err != nil:
		check.Found = fmt.Sprintf("%s: %v", file, err)
	default:
		check.OK, check.Found = true, "by the key "+kid
	}
	return check, kid
}

// signatureIn returns the signature in a file, which may have the headers of a response.
func signatureIn(content []byte) string {
	for line := range bytes.Lines(content) {
		if name, value, ok := strings.Cut(string(line), ":"); ok && strings.EqualFold(strings.TrimSpace(name), "JWS-Signature") {
			return value
		}
	}
	return string(content)
}

// receipt compares the manifest with the server's receipt of the export.
func (c *verifyCommand) receipt(s *session, m export.Manifest, keys signing.Keys) export.Check {
	check := export.Check{Name: checkReceipt, Expected: plural(m.Rows, "row", "rows")}
	e, err := c.client().Export(s.ctx, m.Export.String())
	if err != nil {
		check.Found = fmt.Sprintf("the server does not return export %s: %v", m.Export, err)
		return check
	}
	var b bytes.Buffer
	signature, err := c.client().SignedReceiptCSV(s.ctx, e.ID, &b)
	if err != nil {
		check.Found = fmt.Sprintf("the server does not return the receipt of export %s: %v", m.Export, err)
		return check
	}
	rows, credits, err := sumReceipt(bytes.NewReader(b.Bytes()), e.ID)
	transaction := ""
	if m.Transaction != nil {
		transaction = m.Transaction.String()
	}
	var charged string
	if e.TransactionID != nil {
		charged = *e.TransactionID
	}
	_, unsigned := keys.Verify(b.Bytes(), signature)
	switch {
	case err != nil:
		check.Found = fmt.Sprintf("it cannot be read: %v", err)
	case unsigned != nil:
		check.Found = fmt.Sprintf("its own signature is wrong: %v", unsigned)
	case rows != m.Rows:
		check.Found = fmt.Sprintf("it has %s, and the manifest %s", plural(rows, "row", "rows"), count(m.Rows))
	case transaction != charged:
		check.Found = fmt.Sprintf("its charge is the transaction %s, and that of the manifest %s", cmp.Or(charged, "none"), cmp.Or(transaction, "none"))
	case credits != e.CreditsCharged-e.CreditsRefunded:
		check.Found = fmt.Sprintf("its rows cost %s, but the export %s", plural(credits, "credit", "credits"), count(e.CreditsCharged-e.CreditsRefunded))
	default:
		check.OK, check.Found = true, fmt.Sprintf("%s, %s", plural(rows, "row", "rows"), plural(credits, "credit", "credits"))
	}
	return check
}

// sumReceipt returns the number of rows of a receipt as CSV and what they cost.
func sumReceipt(r io.Reader, exportID string) (rows int, credits int64, err error) {
	lines, err := csv.NewReader(r).ReadAll()
	if err != nil {
		return 0, 0, err
	}
	if len(lines) == 0 {
		return 0, 0, errors.New("it is empty")
	}
	cost, of := slices.Index(lines[0], "credits"), slices.Index(lines[0], "export_id")
	if cost < 0 || of < 0 {
		return 0, 0, errors.New("it has no column credits or export_id")
	}
	for _, line := range lines[1:] {
		n, err := strconv.ParseInt(line[cost], 10, 64)
		if err != nil {
			return 0, 0, err
		}
		if line[of] != exportID {
			return 0, 0, fmt.Errorf("it is of export %s", line[of])
		}
		credits += n
	}
	return len(lines) - 1, credits, nil
}

// readable returns a readable form of a file's error.
func readable(path string, err error) error {
	var p *fs.PathError
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("there is no file %s", path)
	case errors.As(err, &p):
		return fmt.Errorf("%s: %w", path, p.Err)
	}
	return fmt.Errorf("%s: %w", path, err)
}

func (s *session) printVerified(v verified) {
	for _, k := range v.Checks {
		result, text := "ok  ", k.Found
		switch {
		case k.Name == checkSignature || k.Name == checkReceipt:
		case !k.OK:
			text = k.Problem()
		case k.Name == "columns":
			text = count(len(v.Manifest.Columns))
		}
		if !k.OK {
			result = "FAIL"
		}
		s.printf("%s  %-9s  %s\n", result, k.Name, text)
	}
	if v.Signature == "not checked" {
		s.printf("-     %-9s  not checked; name the server with --server, or a copy of its keys with --keys\n", checkSignature)
	}
	m := v.Manifest
	switch {
	case m == nil && v.OK:
		s.printf("\n%s is as it was signed.\n", v.File)
	case m == nil:
		s.printf("\n%s cannot be trusted. Request it again, with its signature.\n", v.File)
	case v.OK:
		s.printf("\n%s is intact: export %s, %q, created %s UTC.\n", v.File, m.Export, m.Name, timestamp(m.CreatedAt))
	case slices.ContainsFunc(v.Checks, func(k export.Check) bool { return !k.OK && k.Name != checkSignature && k.Name != checkReceipt }):
		s.printf("\n%s differs from the file of export %s. Download it again.\n", v.File, m.Export)
	default:
		s.printf("\n%s is the file of its manifest, but the manifest cannot be trusted. Download all of them again.\n", v.File)
	}
}
