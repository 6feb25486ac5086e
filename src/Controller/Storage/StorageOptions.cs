namespace NftCluster.Controller.Storage;

/// <summary>How much of its disk the controller leaves free: what is left is for its journal, so that it lives when traces find no room.</summary>
internal sealed record StorageOptions(string Directory, long ReserveBytes = StorageOptions.DefaultReserveBytes)
{
    public const long DefaultReserveBytes = 256L << 20;

    public string NoRoom => $"less than {ReserveBytes >> 20} MiB are free on the disk of {Directory}: free some space, or set retention lower";

    public bool HasRoom() => ReserveBytes == 0 || new DriveInfo(Directory).AvailableFreeSpace >= ReserveBytes;
}
