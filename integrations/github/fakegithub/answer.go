package fakegithub

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strconv"
	"strings"
)

// root is where this API is, with what a mux in front of it stripped.
func (c *call) root() string {
	scheme := "http://"
	if c.r.TLS != nil {
		scheme = "https://"
	}
	asked, _, _ := strings.Cut(c.r.RequestURI, "?")
	return scheme + c.r.Host + strings.TrimSuffix(asked, c.r.URL.EscapedPath())
}

// api is where the repository is in this API, and html where people look at it.
func (c *call) api() string  { return c.root() + "/repos/" + c.repo.name }
func (c *call) html() string { return "https://github.com/" + c.repo.name }

func (c *call) ok(v any)                             { write(c.w, http.StatusOK, v) }
func (c *call) notFound()                            { refuse(c.w, http.StatusNotFound, "Not Found", "rest") }
func (c *call) refuse(status int, message, d string) { refuse(c.w, status, message, d) }

// raw answers with text rather than JSON.
func (c *call) raw(kind string, data []byte) {
	c.w.Header().Set("Content-Type", kind)
	_, _ = c.w.Write(data)
}

// accepts reports whether the caller wants this form of an answer, with or
// without a version: application/vnd.github.raw, …github.v3.raw, …raw+json.
func (c *call) accepts(form string) bool {
	for _, a := range strings.Split(c.r.Header.Get("Accept"), ",") {
		a = strings.TrimPrefix(strings.TrimSpace(a), "application/vnd.github.")
		if strings.TrimSuffix(strings.TrimPrefix(a, "v3."), "+json") == form {
			return true
		}
	}
	return false
}

// read decodes the body, or answers that it cannot.
func (c *call) read(v any) bool {
	b, err := io.ReadAll(io.LimitReader(c.r.Body, 1<<20))
	if err != nil {
		c.refuse(http.StatusBadRequest, "Problems parsing JSON", "rest")
		return false
	}
	if len(bytes.TrimSpace(b)) == 0 {
		b = []byte("{}")
	}
	if !json.Valid(b) {
		c.refuse(http.StatusBadRequest, "Problems parsing JSON", "rest")
		return false
	}
	if err := json.Unmarshal(b, v); err != nil {
		c.refuse(http.StatusUnprocessableEntity, "Invalid request.\n\n"+err.Error(), "rest")
		return false
	}
	return true
}

// refuse answers in the shape of GitHub's errors.
func refuse(w http.ResponseWriter, status int, message, doc string) {
	write(w, status, map[string]string{
		"message":           message,
		"documentation_url": "https://docs.github.com/" + doc,
		"status":            strconv.Itoa(status),
	})
}

// invalid is a 422 with what is wrong in detail.
func (c *call) invalid(doc string, errors ...map[string]string) {
	write(c.w, http.StatusUnprocessableEntity, map[string]any{
		"message":           "Validation Failed",
		"errors":            errors,
		"documentation_url": "https://docs.github.com/" + doc,
		"status":            "422",
	})
}

func redirect(w http.ResponseWriter, status int, location string) {
	w.Header().Set("Location", location)
	write(w, status, map[string]string{
		"message":           http.StatusText(status),
		"url":               location,
		"documentation_url": "https://docs.github.com/rest/using-the-rest-api/best-practices-for-using-the-rest-api#follow-redirects",
	})
}

func write(w http.ResponseWriter, status int, v any) {
	b, err := json.Marshal(v)
	if err != nil {
		panic(fmt.Sprintf("fakegithub: %v", err)) // unreachable: maps, strings and numbers
	}
	w.WriteHeader(status)
	_, _ = w.Write(b)
}

// conditional gives an answer its ETag, and says 304 to who has it already.
// The answer depends on the caller, so the ETag does too.
func (s *Server) conditional(w *httptest.ResponseRecorder, r *http.Request, who *access, resource string) {
	h := w.Header()
	h.Set("Cache-Control", "private, max-age=60, s-maxage=60")
	h.Set("Vary", "Accept, Authorization, Cookie, X-GitHub-OTP,Accept-Encoding, Accept, X-Requested-With")
	if who.anonymous() {
		h.Set("Cache-Control", "public, max-age=60, s-maxage=60")
	}
	etag := h.Get("ETag")
	if etag == "" {
		sum := sha256.Sum256(append([]byte(who.bucket+r.Header.Get("Accept")+"\n"), w.Body.Bytes()...))
		etag = fmt.Sprintf(`W/"%x"`, sum)
		h.Set("ETag", etag)
	}
	for _, known := range strings.Split(r.Header.Get("If-None-Match"), ",") {
		// Compared weakly, as RFC 9110, 13.1.2 has it.
		if known = strings.TrimSpace(known); known == "*" || known != "" && strings.TrimPrefix(known, "W/") == strings.TrimPrefix(etag, "W/") {
			w.Code = http.StatusNotModified
			w.Body.Reset()
			h.Del("Content-Type")
			s.free(w, who, resource)
			return
		}
	}
}

// page cuts a list to what was asked for, at most most at once, and says where
// the rest is.
func page[T any](c *call, list []T, usual, most int) []T {
	q := c.r.URL.Query()
	n, size := positive(q, "page", 1), min(positive(q, "per_page", usual), most)
	if !q.Has("per_page") {
		size = usual
	}
	last := max(1, (len(list)+size-1)/size)
	from := min((n-1)*size, len(list))
	c.link(n, last)
	return list[from:min(from+size, len(list))]
}

// positive reads a number from a query as GitHub does: nonsense is the default.
func positive(q url.Values, key string, otherwise int) int {
	if n, err := strconv.Atoi(q.Get(key)); err == nil && n > 0 && n < 1e6 {
		return n
	}
	return otherwise
}

// link says where the other pages are (docs.github.com, "Using pagination").
func (c *call) link(page, last int) {
	var links []string
	add := func(rel string, n int) {
		u := *c.r.URL
		q := u.Query()
		q.Set("page", strconv.Itoa(n))
		u.RawQuery = q.Encode()
		links = append(links, fmt.Sprintf(`<%s%s>; rel=%q`, c.root(), u.RequestURI(), rel))
	}
	if page > 1 {
		add("prev", page-1)
		add("first", 1)
	}
	if page < last {
		add("next", page+1)
		add("last", last)
	}
	if len(links) > 0 {
		c.w.Header().Set("Link", strings.Join(links, ", "))
	}
}
