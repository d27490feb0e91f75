package fakegithub_test

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	gh "github.com/google/go-github/v60/github"

	"thbot/integrations/fakehttp"
	"thbot/integrations/github/fakegithub"
)

// sign makes a JWT of an App, from and until that many seconds from now.
func sign(t *testing.T, key *rsa.PrivateKey, app string, from, until int) string {
	t.Helper()
	now := time.Now().Unix()
	return signed(t, key, `{"alg":"RS256","typ":"JWT"}`, fmt.Sprintf(`{"iss":%q,"iat":%d,"exp":%d}`, app, now+int64(from), now+int64(until)))
}

func signed(t *testing.T, key *rsa.PrivateKey, head, claims string) string {
	t.Helper()
	part := base64.RawURLEncoding.EncodeToString
	text := part([]byte(head)) + "." + part([]byte(claims))
	sum := sha256.Sum256([]byte(text))
	signature, err := rsa.SignPKCS1v15(rand.Reader, key, crypto.SHA256, sum[:])
	if err != nil {
		t.Fatal(err)
	}
	return text + "." + part(signature)
}

func TestJWT(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	other, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	fake := &fakegithub.Server{}
	fake.AddApp(fakegithub.App{ID: 7, Slug: "thbot-app", Key: &key.PublicKey})
	url := serve(t, fake)
	now := time.Now().Unix()
	claims := fmt.Sprintf(`{"iss":7,"iat":%d,"exp":%d}`, now-60, now+300)
	good := sign(t, key, "7", -60, 300)
	for _, tt := range []struct {
		name, token, says string
	}{
		{"good", good, ""},
		{"a number", signed(t, key, `{"alg":"RS256"}`, claims), ""},
		{"another key", sign(t, other, "7", -60, 300), "could not be decoded"},
		{"another App", sign(t, key, "8", -60, 300), "Integration not found"},
		{"no algorithm", signed(t, key, `{"alg":"none"}`, claims), "could not be decoded"},
		{"changed", strings.Replace(good, ".", ".e", 1), "could not be decoded"},
		{"not a token", "eyJ", "could not be decoded"},
		{"over", sign(t, key, "7", -600, -1), "must be a numeric value representing the future"},
		{"too long", sign(t, key, "7", -60, 700), "too far in the future"},
		{"not yet", sign(t, key, "7", 60, 300), "('iat') must be an Integer"},
		{"for ever", signed(t, key, `{"alg":"RS256"}`, `{"iss":"7"}`), "('exp') must be"},
		{"a person's", fakegithub.Token, "could not be decoded"},
		{"unknown", "fake-x", "Bad credentials"},
	} {
		_, _, err := stock(t, url, tt.token).Apps.Get(t.Context(), "")
		if tt.says != "" {
			err = says(err, 401, tt.says)
		}
		if err != nil {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	// An App itself reads no repositories.
	_, _, err = stock(t, url, good).Repositories.Get(t.Context(), owner, repo)
	if err := says(err, 401, "Requires authentication"); err != nil {
		t.Error(err)
	}
	_, _, err = stock(t, url, good).Apps.FindRepositoryInstallation(t.Context(), owner, repo)
	if err := says(err, 404, "Not Found"); err != nil {
		t.Error(err)
	}
}

func TestInstallationToken(t *testing.T) {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	synctest.Test(t, func(t *testing.T) {
		fake := &fakegithub.Server{}
		sha := fake.AddCommit(fakegithub.CommitSpec{Subject: "first"})
		next := fake.AddCommit(fakegithub.CommitSpec{Subject: "second", Parents: []string{sha}})
		fake.SetBranch("prototype", sha)
		fake.Repo("mozilla/secret").SetPrivate(true)
		fake.Repo("else/where").SetPrivate(true)
		fake.AddApp(fakegithub.App{ID: 7, Slug: "thbot-app", Key: &key.PublicKey,
			Permissions: map[string]string{"contents": "write", "checks": "read"}})
		fake.Install(7, fakegithub.Installation{ID: 70, Account: owner})
		fake.Install(7, fakegithub.Installation{ID: 71, Account: "else", Suspended: true})
		p := fakehttp.NewPipe()
		s := &http.Server{Handler: fake}
		go func() { _ = s.Serve(p) }()
		web := &http.Client{Transport: &http.Transport{DialContext: p.Dial}}
		client := func(token string) *gh.Client {
			c := gh.NewClient(web).WithAuthToken(token)
			c.BaseURL, _ = c.BaseURL.Parse("http://github.test/")
			return c
		}
		app, ctx := client(sign(t, key, "7", 0, 300)).Apps, t.Context()
		mint := func(o *gh.InstallationTokenOptions) *gh.InstallationToken {
			t.Helper()
			token, _, err := app.CreateInstallationToken(ctx, 70, o)
			if err != nil {
				t.Fatal(err)
			}
			return token
		}
		push := func(token, sha string) error {
			_, _, err := client(token).Git.UpdateRef(ctx, owner, repo, reference("heads/prototype", sha), true)
			return err
		}

		whole := mint(nil)
		if n := len(whole.GetToken()); n <= 40 || !strings.HasPrefix(whole.GetToken(), "ghs_7_eyJ") {
			t.Errorf("the token has %d characters: %s", n, whole.GetToken())
		}
		if !whole.GetExpiresAt().Time.Equal(time.Now().Add(time.Hour).Truncate(time.Second)) || whole.GetPermissions().GetContents() != "write" {
			t.Errorf("token is %v", whole)
		}
		if err := push(whole.GetToken(), next); err != nil {
			t.Error(err)
		}
		if _, _, err := client(whole.GetToken()).Repositories.Get(ctx, owner, "secret"); err != nil {
			t.Error(err)
		}
		_, _, err := client(whole.GetToken()).Repositories.Get(ctx, "else", "where")
		if err := says(err, 404, "Not Found"); err != nil {
			t.Error(err)
		}
		_, _, err = client(whole.GetToken()).Repositories.GetCombinedStatus(ctx, owner, repo, sha, nil)
		if err := says(err, 403, "Resource not accessible by integration"); err != nil {
			t.Error(err)
		}

		narrow := mint(&gh.InstallationTokenOptions{Repositories: []string{repo}, Permissions: &gh.InstallationPermissions{Contents: gh.String("read")}})
		if len(narrow.Repositories) != 1 || narrow.GetPermissions().GetContents() != "read" {
			t.Errorf("narrowed token is %v", narrow)
		}
		if err := says(push(narrow.GetToken(), sha), 403, "Resource not accessible by integration"); err != nil {
			t.Error(err)
		}
		if _, _, err := client(narrow.GetToken()).Git.GetRef(ctx, owner, repo, "heads/prototype"); err != nil {
			t.Error(err)
		}
		_, _, err = client(narrow.GetToken()).Repositories.Get(ctx, owner, "secret")
		if err := says(err, 404, "Not Found"); err != nil {
			t.Error(err)
		}

		for _, tt := range []struct {
			id     int64
			o      *gh.InstallationTokenOptions
			status int
			says   string
		}{
			{70, &gh.InstallationTokenOptions{Permissions: &gh.InstallationPermissions{Checks: gh.String("write")}}, 422, "permissions requested are not granted"},
			{70, &gh.InstallationTokenOptions{Permissions: &gh.InstallationPermissions{Administration: gh.String("read")}}, 422, "permissions requested are not granted"},
			{70, &gh.InstallationTokenOptions{Repositories: []string{"where"}}, 422, "at least one repository that does not exist"},
			{71, nil, 403, "suspended"},
			{72, nil, 404, "Not Found"},
		} {
			_, _, err := app.CreateInstallationToken(ctx, tt.id, tt.o)
			if err := says(err, tt.status, tt.says); err != nil {
				t.Errorf("installation %d: %v", tt.id, err)
			}
		}

		// Protection knows an App by its slug.
		if _, _, err := client(whole.GetToken()).Git.CreateRef(ctx, owner, repo, reference("heads/guarded", sha)); err != nil {
			t.Error(err)
		}
		move := func(pushers ...string) error {
			fake.SetBranch("guarded", sha)
			fake.Repo("").Protect("guarded", fakegithub.Protection{Pushers: pushers})
			_, _, err := client(whole.GetToken()).Git.UpdateRef(ctx, owner, repo, reference("heads/guarded", next), false)
			return err
		}
		if err := says(move("thbot"), 422, "Protected branch update failed"); err != nil {
			t.Error(err)
		}
		if err := move("thbot", "thbot-app"); err != nil {
			t.Error(err)
		}
		_, _, err = client(whole.GetToken()).Users.Get(ctx, "")
		if err := says(err, 403, "Resource not accessible by integration"); err != nil {
			t.Error(err)
		}

		fake.Install(7, fakegithub.Installation{ID: 70, Account: owner, Suspended: true})
		if err := says(push(whole.GetToken(), next), 403, "suspended"); err != nil {
			t.Error(err)
		}
		fake.Install(7, fakegithub.Installation{ID: 70, Account: owner, Repositories: []string{"mozilla/secret"}})
		if list, _, err := app.ListInstallations(ctx, nil); err != nil || len(list) != 2 || list[1].GetRepositorySelection() != "selected" {
			t.Errorf("installations are %v, %v", list, err)
		}
		_, _, err = app.FindRepositoryInstallation(ctx, owner, repo)
		if err := says(err, 404, "Not Found"); err != nil {
			t.Error(err)
		}

		<-time.After(time.Until(whole.GetExpiresAt().Time))
		if err := says(push(whole.GetToken(), next), 401, "Bad credentials"); err != nil {
			t.Error(err)
		}
		web.CloseIdleConnections()
		_ = s.Close()
	})
}
