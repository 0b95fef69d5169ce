# Copyright (c) 2026, winops contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A KMS host: the steps from what it is to what it should be."""

from __future__ import annotations

from collections.abc import Callable

from ..._core.plan import StepKind
from ..spp import licensing
from ..spp.offline_activation import Ids
from . import firewall as kms_host_firewall
from . import keys as kms_host_keys
from . import listening, publish_list
from . import settings as kms_host_settings
from .work import HostWork


class KmsHostSetup(HostWork):
    """One KMS host over its session."""

    def change(self, plan_more: Callable[[KmsHostSetup], None] | None = None) -> None:
        """Plan everything, and outside check mode carry it out and see that it holds.

        Args:
            plan_more: Adds what has to come last to the plan.

        Raises:
            StepFailed: A step failed; the plan was carried out up to it.
            ActivationError: What should have been changed reads otherwise.
        """
        # Open before anything starts the service, because it publishes itself then.
        kms_host_firewall.plan_rules(self, on=True)
        if not self.runs_kms:
            # There before the host becomes a KMS host, the list is read at its first start as one.
            kms_host_settings.plan_publish_list(self, restart=False)
        kms_host_keys.plan_key(self)
        kms_host_settings.plan_settings(self)
        if self.runs_kms:
            kms_host_settings.plan_publish_list(self, restart=True)
        kms_host_settings.plan_restart(self)
        kms_host_keys.plan_activation(self)
        if plan_more:
            plan_more(self)
        if self.plan and not self.check_mode:
            self.plan.run()
            with self.plan.reading_back(self.name):
                self.state = self.read()
                self._verify()
                self._look_from_outside()

    @property
    def port(self) -> int:
        """The TCP port that the KMS has once the plan is carried out."""
        return int(self.wish.settings.get("listening_port", self.state.port))

    @property
    def publishes(self) -> bool:
        """Whether the host publishes itself in DNS once the plan is carried out."""
        return bool(self.wish.settings.get("dns_publishing", self.state.service["KeyManagementServiceDnsPublishing"]))

    @property
    def publish_lines(self) -> tuple[str, ...]:
        """The lines of the publish list once the plan is carried out; read now where the wish is not about them."""
        if self.wish.publish_list is not None:
            return publish_list.planned(self.wish.publish_list, self.state.publish_list).lines
        return publish_list.read_list(self.session, licensing.version_of(self.state.service)).lines

    @property
    def activating(self) -> bool:
        """Whether the plan activates the host."""
        return any(step.kind is StepKind.LICENSE for step in self.plan.steps)

    @property
    def offline_ids(self) -> Ids | None:
        """What Microsoft has to be told of a host that waits for its confirmation ID; C(None) for any other."""
        if self.check_mode or not self.plan:
            return kms_host_keys.offline_ids(self)
        with self.plan.reading_back(self.name):
            return kms_host_keys.offline_ids(self)

    def _verify(self) -> None:
        """What was changed has to read as it was wanted."""
        wrong = kms_host_keys.wrong_key(self) + kms_host_settings.wrong_settings(self) + kms_host_firewall.wrong_rules(self, on=True)
        self.refuse_wrong(wrong)

    def _look_from_outside(self) -> None:
        """Connect to the port where the plan should have opened it: a rule that is on opens nothing where a policy forbids it."""
        opened = any(step.kind in (StepKind.SERVICE, StepKind.PROGRAM) for step in self.plan.steps)
        if not opened or self.probe is None:
            return
        if not self.state.service:
            self.state.service = licensing.read_service(self.session)
            self.state.product = self.read_product()
        if self.state.licensed and not listening.comes_up(self.probe, self.state.port):
            self.warnings.append(
                f"{self.name}: TCP port {self.state.port} does not answer the control node, although every step succeeded. A policy may"
                " keep it closed (AllowLocalFirewallRules), or a firewall on the way does."
            )
