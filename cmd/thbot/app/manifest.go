package app

import (
	"encoding/json"
	"errors"
	"slices"
)

// Manifest is the Slack app's manifest as JSON: Slack's "create an app from a
// manifest" takes it as it is. It asks for scopes and nothing else. The
// app-level token that Socket Mode needs (connections:write) cannot be part of
// a manifest; it is made by hand. Fields and limits:
// https://docs.slack.dev/reference/app-manifest
func Manifest(c Config, scopes []string) ([]byte, error) {
	if !slices.Contains(scopes, "commands") {
		return nil, errors.New("making the manifest: a slash command needs the scope commands")
	}
	type object map[string]any
	return json.MarshalIndent(object{
		"_metadata": object{"major_version": 2, "minor_version": 1},
		"display_information": object{
			"name":        "thbot",
			"description": "Runs Treeherder's deploys and other operations from the channel",
		},
		"features": object{
			// Without this tab, which new apps do not have, Slack refuses every
			// direct message of the app (messages_tab_disabled). Nobody can write
			// to it there: it does not read what they would.
			"app_home": object{"home_tab_enabled": false, "messages_tab_enabled": true, "messages_tab_read_only_enabled": true},
			"bot_user": object{"display_name": "thbot", "always_online": true},
			"slash_commands": []object{{
				"command":     c.Slack.Command,
				"description": "Treeherder's deploys: status, deploy and more",
				"usage_hint":  "status | deploy prod | help",
				// Names of people and channels arrive as their ids.
				"should_escape": true,
			}},
		},
		"oauth_config": object{"scopes": object{"bot": scopes}},
		"settings": object{
			"interactivity":          object{"is_enabled": true},
			"socket_mode_enabled":    true,
			"org_deploy_enabled":     false,
			"token_rotation_enabled": false,
		},
	}, "", "  ")
}
