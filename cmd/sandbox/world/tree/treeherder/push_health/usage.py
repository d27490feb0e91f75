from django.core.cache import cache

from treeherder.model.models import Push


def push_health(repository, revision):
    push = Push.objects.filter(repository=repository, revision=revision).first()
    if push is None:
        return None
    return collect(push)


def collect(push):
    jobs = push.jobs.select_related("job_type", "machine_platform")
    return {
        "failed": jobs.filter(result="testfailed").count(),
        "running": jobs.exclude(state="completed").count(),
    }


def forget(revision):
    cache.delete(f"push-health-{revision}")
