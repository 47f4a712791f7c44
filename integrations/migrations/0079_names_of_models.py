from django.db import migrations

RENAMED = {
    "ApartSender": "CacheExclusiveSender",
    "FollowedAgreement": "AppliedAgreement",
    "FollowedPriceBook": "AppliedPriceBook",
    "FollowedThresholds": "AppliedThresholds",
    "KeptPriceList": "PriceSnapshot",
    "Meaning": "ValueMapping",
}


class Migration(migrations.Migration):
    """The models get other names, and keep their tables."""

    dependencies = [("integrations", "0078_unread_columns")]

    operations = [
        *(migrations.AlterModelTable(name=old, table=f"integrations_{old.lower()}") for old in RENAMED),
        *(migrations.RenameModel(old_name=old, new_name=new) for old, new in RENAMED.items()),
        migrations.AlterModelOptions(name="cacheexclusivesender", options={}),
        migrations.AlterModelOptions(name="pricesnapshot", options={}),
    ]
