package fakejenkins

import (
	"encoding/json"
	"fmt"
	"html"
	"net/http"
	"net/url"
)

// page answers with an HTML page, as Jenkins and Jetty do with all that is not
// an answer to the question.
func page(w http.ResponseWriter, status int, text string) {
	w.Header().Set("Content-Type", "text/html;charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<!DOCTYPE html><html><head><title>Jenkins</title></head><body><h1>%d</h1><p>%s</p></body></html>\n",
		status, html.EscapeString(text))
}

func notFound(w http.ResponseWriter) { page(w, http.StatusNotFound, "Not Found") }

// oops is what an uncaught exception gives; it has no X-Error.
func oops(w http.ResponseWriter) {
	page(w, http.StatusInternalServerError, "Oops! A problem occurred while processing the request. Logging ID=5f1c2a3e-8f0e-4c57")
}

// unavailable is HudsonIsLoading and HudsonIsRestarting, or the proxy in front.
func unavailable(w http.ResponseWriter) {
	page(w, http.StatusServiceUnavailable, "Please wait while Jenkins is getting ready to work")
}

// failure is a hudson.model.Failure (Failure.java).
func failure(w http.ResponseWriter, message string) {
	w.Header().Set("X-Error", message)
	page(w, http.StatusBadRequest, message)
}

// tryPosting is stapler's answer to a GET of a @RequirePOST method.
func tryPosting(w http.ResponseWriter, path string) {
	w.Header().Set("Allow", http.MethodPost)
	page(w, http.StatusMethodNotAllowed, "Form post is required. Try POSTing to "+path)
}

func badToken(w http.ResponseWriter, r *http.Request) {
	w.Header().Set("WWW-Authenticate", `Basic realm="Jenkins"`)
	jetty(w, r, http.StatusUnauthorized, "Invalid password/token for user: anonymous")
}

func noCrumb(w http.ResponseWriter, r *http.Request) {
	jetty(w, r, http.StatusForbidden, "No valid crumb was included in the request")
}

func jetty(w http.ResponseWriter, r *http.Request, status int, reason string) {
	w.Header().Set("Content-Type", "text/html;charset=utf-8")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<html><head><title>Error %d %s</title></head><body><h2>HTTP ERROR %d %s</h2><p>URI: %s</p></body></html>\n",
		status, html.EscapeString(reason), status, html.EscapeString(reason), html.EscapeString(r.URL.Path))
}

// loginNeeded is not a redirect, but a page that has one
// (HudsonAuthenticationEntryPoint.java).
func loginNeeded(w http.ResponseWriter, r *http.Request) {
	h := w.Header()
	h.Set("Content-Type", "text/html;charset=utf-8")
	h.Set("X-You-Are-Authenticated-As", "anonymous")
	h.Set("X-Required-Permission", "hudson.model.Hudson.Read")
	h.Add("X-Permission-Implied-By", "hudson.security.Permission.GenericRead")
	h.Add("X-Permission-Implied-By", "hudson.model.Hudson.Administer")
	to := "/login?from=" + url.QueryEscape(r.URL.Path)
	w.WriteHeader(http.StatusForbidden)
	fmt.Fprintf(w, "<html><head><meta http-equiv='refresh' content='1;url=%s'/></head><body>Authentication required</body></html>\n", to)
}

// denied is AccessDeniedException3.java's answer to somebody who is known.
func denied(w http.ResponseWriter, user, permission, id string) {
	h := w.Header()
	h.Set("X-You-Are-Authenticated-As", user)
	h.Set("X-Required-Permission", id)
	h.Add("X-Permission-Implied-By", "hudson.model.Hudson.Administer")
	page(w, http.StatusForbidden, user+" is missing the "+permission+" permission")
}

func (q *request) write(v any) {
	h := q.w.Header()
	h.Set("Content-Type", "application/json;charset=utf-8")
	if err := json.NewEncoder(q.w).Encode(v); err != nil {
		panic(err) // unreachable: v holds nothing but plain data
	}
}
