"""The synthetic population of benchmarks and of trials at scale: made-up people with accounts, in any number."""

from web.scale.seeding import Population, SeededOrganization, SeedRefused, seed_scale, slugs_of

__all__ = ["Population", "SeedRefused", "SeededOrganization", "seed_scale", "slugs_of"]
