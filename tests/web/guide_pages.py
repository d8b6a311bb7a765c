"""How tests read a guide: the page itself, and what it says without its marks."""

import re

from django.urls import reverse

SLUGS = [
    *("qies", "casper", "cmsnet", "harp", "iqies", "qualitynet", "hqr", "eqrs", "idm", "psr", "ia", "sams"),
    *("mycgs", "dde", "rds", "mft"),
    *("ep-aps", "ep-bigapps", "ep-connexion", "ep-desy", "ep-webex", "ep-cnc", "ep-cpms", "ep-cognos"),
    *("ep-dmepos-bidding", "ep-hats", "ep-hdt", "ep-mdm", "ep-midas", "ep-microstrategy", "ep-ocm", "ep-onepi"),
    *("ep-pecos-ai", "ep-pecos-dm", "ep-pris", "ep-pv", "ep-qarm", "ep-shim", "ep-vms"),
]


def guide(client, user, slug, **asked):
    client.force_login(user)
    answer = client.get(reverse("web:system", args=["riverside", slug]), asked)
    assert answer.status_code == 200
    return answer


def said(answer):
    html = re.sub(r"<script.*?</script>", " ", answer.content.decode(), flags=re.S)
    html = re.sub(r'<sup class="cite">.*?</sup>', "", html, flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", html).replace("&#x27;", "'").split())
