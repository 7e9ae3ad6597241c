package config

import (
	"errors"

	"go.yaml.in/yaml/v4"

	"mirror/scheduler"
)

// cron judges when a job runs. What came from the environment is not quoted.
func (d *decoder) cron(key string, n *yaml.Node) {
	_, err := scheduler.Parse(n.Value)
	var refused *scheduler.SpecError
	switch {
	case err == nil:
	case errors.As(err, &refused) && !d.fromEnv(n):
		d.on(n, "%s: %s %s", key, d.describe(n), masked(refused.Why))
	default:
		d.on(n, "%s: %s is no cron spec (hint: \"*/15 * * * *\" is every 15 minutes)", key, d.describe(n))
	}
}

// judgeJobs notes names given twice, and what is given to a job that has no use for it.
func (d *decoder) judgeJobs(jobs []Job) {
	var names []string
	for i := range jobs {
		job := &jobs[i]
		names = d.once(names, &job.Name, "job")
		if job.Watch && job.Run != "publish" {
			d.on(d.places[&job.Watch], "watch: is for run: publish only")
		}
	}
}
